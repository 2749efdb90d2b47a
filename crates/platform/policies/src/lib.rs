//! Where policies come from: files, folders, packs, a cluster; loaded by every language, replaced only by sound ones.

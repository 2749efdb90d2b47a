//! The diagnostic codes of bundles, with what `palisade explain` says of them.

palisade_model::codes! {
    ARCHIVE "PAL-R0201" "a bundle's archive cannot be read"
    "A bundle is a tar archive compressed with gzip, as `opa build` writes it. This one is cut off, damaged, or holds \
     something that has no place in a bundle: a link, a device, a name that leads out of the bundle, the same name \
     twice. None of it is used, because what is missing cannot be known.\n\n\
     Build or download it again, and look into it with `tar tzvf bundle.tar.gz`."
    LIMIT "PAL-R0202" "a bundle is larger than the limit"
    "Unpacking stops at 256 MiB or 20,000 files, so that a small archive which unpacks to terabytes cannot exhaust the \
     memory.\n\n\
     Split the bundle, or leave out of it what policies do not read."
    MANIFEST "PAL-R0203" "a bundle's manifest is wrong"
    "`.manifest` is a JSON object with `revision` (a text), `roots` (a list of paths that do not lie in one another), \
     `rego_version` (0 or 1), `file_rego_versions` (a version for patterns of paths that begin with `/`) and \
     `metadata`.\n\n\
     For example:\n\n    {\"revision\": \"2024-05-01\", \"roots\": [\"kubernetes\"], \"rego_version\": 1}"
    ROOTS "PAL-R0204" "a bundle holds something outside of its roots"
    "The roots of a bundle are the parts of `data` that belong to it: its packages and its data must lie within them, and \
     no other bundle may have a root there. Otherwise two bundles could silently replace each other's policies.\n\n\
     Add the path to `roots` in `.manifest`, or move the file."
    DATA "PAL-R0205" "a bundle's data cannot be merged"
    "Each `data.json` and `data.yaml` stands at the path of its folder. Two of them may add members to the same object, \
     but must not give different values to the same path, and the data at the top is an object.\n\n\
     Keep each path in one file."
    SIGNATURE "PAL-R0206" "a bundle's signature does not hold"
    "`.signatures.json` lists every file of the bundle with its hash, and is signed. The signature must be made with the \
     key that is configured, by the algorithm that goes with it, for the configured scope; each file must be listed with \
     the hash that it has, and no listed file may be missing. A bundle that fails is not used.\n\n\
     If the bundle was changed on purpose, sign it again with `opa sign`."
    DELTA "PAL-R0207" "a delta bundle holds changes, not policies"
    "A bundle with `patch.json` changes the data of a running Open Policy Agent. There is nothing in it to check by \
     itself.\n\n\
     Use the snapshot bundle that the changes belong to."
    WASM "PAL-R0208" "a bundle's compiled policies are not run"
    "Besides Rego a bundle may hold the same policies compiled to WebAssembly. They are not run here: the Rego is, \
     which gives the same answers.\n\n\
     Nothing is to be done, unless the bundle holds no Rego."
}

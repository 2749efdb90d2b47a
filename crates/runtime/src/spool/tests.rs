//! The spool with records of one number each.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::Clock;

struct Numbers;

impl Codec for Numbers {
    type Record = String;

    fn write(record: &String, line: &mut Vec<u8>) -> Result<(), Failure> {
        line.extend_from_slice(format!("[{record}]").as_bytes());
        Ok(())
    }

    fn read(line: &[u8]) -> Result<String, Failure> {
        let text = std::str::from_utf8(line)?;
        Ok(text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or("no brackets")?.to_owned())
    }

    fn id(record: &String) -> &str {
        record
    }

    fn time(_: &String) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// Counts fates.
#[derive(Default)]
struct Counts([AtomicU64; 4]);

impl Counts {
    fn of(&self, fate: Fate) -> u64 {
        self.0[fate as usize].load(Ordering::Relaxed)
    }
}

impl SpoolObserver for Counts {
    fn counted(&self, fate: Fate, number: u64) {
        self.0[fate as usize].fetch_add(number, Ordering::Relaxed);
    }

    fn pending(&self, _: u64) {}

    fn lag(&self, _: f64) {}

    fn dropping(&self, _: &Dropped) {}

    fn waiting(&self, _: &str) {}

    fn well(&self) {}
}

/// Takes everything but what is called `bad`, unless it is away.
#[derive(Default)]
struct Shelf {
    away: AtomicBool,
    stored: Mutex<Vec<String>>,
}

impl Sink<String> for &Shelf {
    async fn store(&self, records: &[String]) -> Result<(), Refusal> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Refusal::Later("away".into()));
        }
        if records.iter().any(|record| record == "bad") {
            return Err(Refusal::Never("a bad record".into()));
        }
        lock(&self.stored).extend(records.iter().cloned());
        Ok(())
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("palisade-spool-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn spool(&self, durability: Durability, max_bytes: u64) -> (Arc<Spool<Numbers>>, Arc<Counts>) {
        let counts = Arc::new(Counts::default());
        let options = SpoolOptions { folder: self.0.clone(), max_bytes, durability };
        (Spool::open(options, counts.clone()).unwrap(), counts)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn moved(spool: &Arc<Spool<Numbers>>, shelf: &Shelf) -> Result<(), Failure> {
    Mover::new(spool.clone(), shelf, Clock::system()).pass().await
}

/// Whatever length the last file has after a crash, the records that were acknowledged while it had that length are
/// moved, in order, and nothing that was never written.
#[tokio::test]
async fn a_cut_at_any_point_loses_only_what_was_not_acknowledged() {
    let folder = Folder::new("cut");
    let (spool, _) = folder.spool(Durability::Machine, 1 << 20);
    let path = segments::path(&folder.0, 0);
    let mut ends = Vec::new();
    for number in 0..24 {
        spool.append(&format!("{number}{}", "x".repeat(number % 5))).unwrap();
        ends.push(fs::metadata(&path).unwrap().len());
    }
    drop(spool);
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (spool, counts) = folder.spool(Durability::Machine, 1 << 20);
        spool.append(&"after".into()).unwrap();
        let shelf = Shelf::default();
        moved(&spool, &shelf).await.unwrap();
        let acknowledged = ends.iter().filter(|end| **end <= cut as u64).count();
        let stored = lock(&shelf.stored).clone();
        assert_eq!(stored.len(), acknowledged + 1, "cut at {cut}: {stored:?}");
        assert!((0..acknowledged).all(|number| stored[number].trim_end_matches('x') == number.to_string()));
        assert_eq!(stored[acknowledged], "after");
        let torn = cut > 0 && !ends.contains(&(cut as u64));
        assert_eq!(counts.of(Fate::Unreadable), u64::from(torn), "cut at {cut}");
        assert_eq!(segments::list(&folder.0).unwrap().len(), 0, "what is stored is deleted");
    }
}

#[test]
fn what_is_acknowledged_is_synced_also_by_another_thread() {
    let folder = Folder::new("synced");
    let (spool, counts) = folder.spool(Durability::Machine, 1 << 20);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..10 {
                    let place = spool.keep(&format!("{thread}-{number}")).unwrap();
                    let synced = *lock(&spool.synced);
                    assert!(synced.0 == place.number && synced.1 >= place.end, "{synced:?} {place:?}");
                }
            });
        }
    });
    let read = segments::read::<Numbers>(&segments::path(&folder.0, 0), 0, 100).unwrap();
    assert_eq!((read.records.len(), read.unreadable, counts.of(Fate::Dropped)), (40, 0, 0));
}

#[tokio::test]
async fn a_sink_that_is_away_gets_everything_later_and_a_bad_record_holds_up_no_other() {
    let folder = Folder::new("away");
    let (spool, counts) = folder.spool(Durability::Process, 1 << 20);
    let shelf = Shelf::default();
    shelf.away.store(true, Ordering::Relaxed);
    for record in ["a", "bad", "b"] {
        spool.append(&record.into()).unwrap();
    }
    assert_eq!(moved(&spool, &shelf).await.unwrap_err().to_string(), "away");
    spool.append(&"c".into()).unwrap();
    shelf.away.store(false, Ordering::Relaxed);
    moved(&spool, &shelf).await.unwrap();
    assert_eq!(*lock(&shelf.stored), ["a", "b", "c"]);
    assert_eq!((counts.of(Fate::Stored), counts.of(Fate::Dropped), counts.of(Fate::Written)), (3, 1, 4));
    assert_eq!(spool.pending.load(Ordering::Relaxed), 0);
}

#[test]
fn disk_use_is_bounded_and_what_is_dropped_is_counted() {
    let folder = Folder::new("bounded");
    let (spool, counts) = folder.spool(Durability::Process, 10);
    spool.append(&"123".into()).unwrap();
    assert!(matches!(spool.append(&"12345".into()), Err(Dropped::Full)));
    spool.append(&"1".into()).unwrap();
    assert!(matches!(spool.append(&"1\n2".into()), Err(Dropped::Unwritable(_))));
    assert_eq!((counts.of(Fate::Written), counts.of(Fate::Dropped)), (2, 2));
    assert_eq!(fs::metadata(segments::path(&folder.0, 0)).unwrap().len(), 10);
}

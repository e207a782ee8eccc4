//! A sink of one's own: a file of JSON lines, synced before anybody is acknowledged; and the proof that it is one.
use audited::{Action, AuditSink, Durability, Record, Recorder, SinkError, record_action};
use std::{fs::File, io::Write as _, path::Path, sync::Mutex};

struct FileSink(Mutex<Option<File>>);
fn open(path: &Path) -> std::io::Result<FileSink> {
    Ok(FileSink(Mutex::new(Some(File::options().create(true).append(true).open(path)?))))
}

#[async_trait::async_trait]
impl AuditSink for FileSink {
    async fn write(&self, batch: &[Record]) -> Result<(), SinkError> {
        let lines: String = batch.iter().flat_map(|record| ["\n", record.json()]).collect();
        let mut place = self.0.lock().map_err(|_| SinkError::Poisoned)?;
        let mut file = place.take().ok_or(SinkError::Poisoned)?; // what has failed once is not trusted again
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data())?;
        *place = Some(file);
        Ok(())
    }
    fn durability(&self) -> Durability {
        Durability::Disk
    }
    fn describe(&self) -> String {
        "file".into()
    }
}

#[cfg(all(test, feature = "testing"))] // cargo test --features testing --example custom_sink
audited::testing::sink_contract!(file_sink, |dir| {
    let path = dir.join("audit.jsonl");
    audited::testing::SinkUnderTest::new(open(&path).unwrap()).reads_lines_of(path).is_opened_again()
});

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join("audited-custom-sink.jsonl");
    Recorder::builder().sink(open(&path)?).build()?.install()?;
    println!("{} is in {}", record_action(Action::new("door.opened")).wait()?, path.display());
    Ok(())
}

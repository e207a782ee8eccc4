//! What one would write first: callers send their lines to one thread, which writes what has come, syncs once, and wakes
//! them all.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use super::bare::Filled;
use super::turn::{Turn, callers};

const CALLERS: usize = 256;

type Sent = (Vec<u8>, oneshot::Sender<()>);

/// Into a file that grows.
pub(super) fn appended(runtime: &Runtime, directory: &Path, line: &[u8]) -> Turn {
    let mut file = File::create(directory.join("group")).unwrap();
    run(runtime, line, move |batch| {
        file.write_all(batch).unwrap();
        file.sync_data().unwrap();
    })
}

/// Into a file that has been filled before.
pub(super) fn filled(runtime: &Runtime, filled: &Filled, line: &[u8]) -> Turn {
    let (file, bytes) = (filled.file.try_clone().unwrap(), filled.bytes);
    let mut offset = 0;
    run(runtime, line, move |batch| {
        if offset + batch.len() as u64 > bytes {
            offset = 0;
        }
        file.write_all_at(batch, offset).unwrap();
        file.sync_data().unwrap();
        offset += batch.len() as u64;
    })
}

fn run(runtime: &Runtime, line: &[u8], mut write: impl FnMut(&[u8]) + Send + 'static) -> Turn {
    let (sender, mut receiver) = mpsc::channel::<Sent>(CALLERS);
    let writer = std::thread::spawn(move || {
        let (mut batch, mut waiting) = (Vec::new(), Vec::new());
        while let Some((first, told)) = receiver.blocking_recv() {
            batch.extend(first);
            waiting.push(told);
            while let Ok((line, told)) = receiver.try_recv() {
                batch.extend(line);
                waiting.push(told);
            }
            write(&batch);
            batch.clear();
            for told in waiting.drain(..) {
                told.send(()).unwrap();
            }
        }
    });
    let make = || {
        let (sender, line) = (sender.clone(), line.to_vec());
        move || {
            let (sender, line) = (sender.clone(), line.clone());
            async move {
                let (told, done) = oneshot::channel();
                sender.send((line, told)).await.unwrap();
                done.await.unwrap();
            }
        }
    };
    let turn = Turn::take(1, || callers(runtime, CALLERS, make));
    drop(sender);
    writer.join().unwrap();
    turn
}

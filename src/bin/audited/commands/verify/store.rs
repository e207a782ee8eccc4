//! Of a store: each record beside what is kept of it.

use std::path::Path;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::checked::Checked;
use crate::failure::{Exit, Failure};
use crate::open::ServerArgs;
use crate::output::Output;

#[cfg(feature = "sqlite")]
pub(super) fn sqlite(path: &Path, most: usize, output: &mut Output) -> Result<Exit, Failure> {
    use audited::SqliteStore;

    // It is not opened as a store, which would bring its tables up to date: it is to be checked as it is.
    let found = SqliteStore::inspect(path).map_err(|error| Failure::because("the store cannot be read", &error))?;
    let mut checked = Checked {
        name: format!("sqlite:{}", path.display()),
        records: 0,
        damaged: 1,
        damage: Vec::new(),
        remarks: Vec::new(),
        unproved: "That records were removed, or replaced by somebody who may write the file, a store does not show: keep a \
                   journal for that.",
    };
    if found.layout == Some(found.current_layout) {
        let check = SqliteStore::check_file(path);
        let check = check.map_err(|error| Failure::because("the store cannot be read", &error))?;
        (checked.records, checked.damaged) = (check.records, check.damaged);
        checked.damage = check.damage.iter().map(ToString::to_string).collect();
    } else {
        let current = found.current_layout;
        checked.remarks = vec!["no record was checked".to_owned()];
        checked.damage = vec![match found.layout {
            Some(layout) => format!(
                "its layout is {layout}, and this version checks {current}: use the version that wrote it, or open it once with \
                 this one"
            ),
            None => "the tables of a store are not there".to_owned(),
        }];
    }
    checked.print(most, output)
}

#[cfg(not(feature = "sqlite"))]
pub(super) fn sqlite(_: &Path, _: usize, _: &mut Output) -> Result<Exit, Failure> {
    Err(crate::open::lacking("SQLite", "sqlite"))
}

#[cfg(feature = "postgres")]
pub(super) async fn postgres(
    url: &str,
    server: &ServerArgs,
    most: usize,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let options = crate::open::postgres_options(url, server)?;
    let name = options.to_string();
    let failed = |error: audited::PostgresError| Failure::because(&name, &error);
    let store = audited::PostgresStore::connect(options.clone()).await.map_err(failed)?;
    let check = store.check().await.map_err(|error| Failure::because("the store cannot be read", &error))?;
    let removed = (check.removed > 0).then(|| {
        format!(
            "{} keys are of records that are not there any more; what removed them is in `audited query --action audit.retained`",
            check.removed
        )
    });
    let checked = Checked {
        records: check.records,
        damaged: check.damaged,
        damage: check.damage.iter().map(ToString::to_string).collect(),
        remarks: removed.into_iter().collect(),
        unproved: "That records were removed, or replaced with their keys by who owns the tables, a store does not show: \
                   keep a journal for that.",
        name,
    };
    checked.print(most, output)
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "it is awaited where there is something to connect to")]
pub(super) async fn postgres(_: &str, _: &ServerArgs, _: usize, _: &mut Output) -> Result<Exit, Failure> {
    Err(crate::open::lacking("PostgreSQL", "postgres"))
}

//! What the macros cost the compiler: 500 async handlers of six arguments, plain, with `#[audited]` and with
//! `#[tracing::instrument]`, each capturing all six; and 500 structs of eight fields, plain, with `#[derive(Sensitive)]`
//! and put into a record, and with `#[derive(Serialize)]` and put into a `String`.
//!
//! ```text
//! cargo bench --bench compile              # both
//! cargo bench --bench compile -- handlers  # one of them; the other is `types`
//! ```
//!
//! The code lies in a package of their own, in a folder that is removed at the end. Its dependencies are built
//! first; then only the package itself is built again and again, the three kinds in turns, without incremental
//! compilation. A figure is what one item adds to the plain one, a ratio is taken within its round.
//!
//! Times are given twice: of the processors, which is what to go by on a machine that others use too (Linux only), and of
//! the clock. Sizes, too: what each further item adds, from 500 to 1,000 of them, and what the first 500 add, divided by
//! 500, which holds a share of the code that a program has once however many items there are.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use audited_benches::package::Package;

const ITEMS: u32 = 500;
const ROUNDS: usize = 3;

fn main() {
    let chosen: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for what in [What::Handlers, What::Types] {
        if chosen.is_empty() || chosen.iter().any(|word| word == what.name()) {
            compare(what);
        }
    }
}

fn compare(what: What) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench::new(folder.path(), what);
    let [_, ours, theirs] = Kind::ALL.map(|kind| what.label(kind));
    println!("{ITEMS} {}, {ROUNDS} rounds; added for each: median (least to most)\n", what.name());
    println!("{:<18} {ours:>26} {theirs:>26} {:>26}", "", "ours / theirs");
    for mode in [Mode::Check, Mode::Debug, Mode::Release] {
        bench.build(Kind::Plain, mode);
        let rounds: Vec<_> = (0..ROUNDS).map(|_| Kind::ALL.map(|kind| bench.build(kind, mode))).collect();
        let row = |clock: &str, time: fn(&Took) -> Duration| {
            let seconds = |round: &[Took; 3], kind: usize| time(&round[kind]).as_secs_f64();
            let added = |kind: usize| {
                rounds.iter().map(move |round| (seconds(round, kind) - seconds(round, 0)) * 1e3 / f64::from(ITEMS))
            };
            let ratio = added(1).zip(added(2)).map(|(ours, theirs)| ours / theirs);
            let name = format!("{}, {clock}", mode.name());
            println!(
                "{name:<18} {:>26} {:>26} {:>26}",
                spread(added(1), "ms"),
                spread(added(2), "ms"),
                spread(ratio, "")
            );
        };
        if rounds.iter().flatten().all(|took| took.processors > Duration::ZERO) {
            row("processors", |took| took.processors);
        }
        row("clock", |took| took.clock);
    }
    let [once, twice] = [1, 2].map(|times| Kind::ALL.map(|kind| bench.size(kind, times)));
    let beyond = |sizes: [f64; 3], kind: usize| (sizes[kind] - sizes[0]) / f64::from(ITEMS);
    let each = |kind: usize| beyond(twice, kind) - beyond(once, kind);
    for (name, ours, theirs) in
        [("binary, further", each(1), each(2)), ("binary, first", beyond(once, 1), beyond(once, 2))]
    {
        let [of_ours, of_theirs] = [ours, theirs].map(|bytes| format!("{bytes:.0} B"));
        println!("{name:<18} {of_ours:>26} {of_theirs:>26} {:>26}", format!("{:.2}", ours / theirs));
    }
    println!();
}

fn spread(figures: impl Iterator<Item = f64>, unit: &str) -> String {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let (least, median, most) = (figures[0], figures[figures.len() / 2], figures[figures.len() - 1]);
    format!("{median:.2} {unit} ({least:.2} to {most:.2})")
}

#[derive(Clone, Copy)]
enum What {
    Handlers,
    Types,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Handlers => "handlers",
            Self::Types => "types",
        }
    }

    const fn label(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (_, Kind::Plain) => "plain",
            (Self::Handlers, Kind::Ours) => "#[audited]",
            (Self::Handlers, Kind::Theirs) => "#[instrument]",
            (Self::Types, Kind::Ours) => "#[derive(Sensitive)]",
            (Self::Types, Kind::Theirs) => "#[derive(Serialize)]",
        }
    }

    fn source(self, kind: Kind, items: u32) -> String {
        match self {
            Self::Handlers => handlers(kind, items),
            Self::Types => types(kind, items),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Ours,
    Theirs,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Plain, Self::Ours, Self::Theirs];

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }
}

fn handlers(kind: Kind, items: u32) -> String {
    let mut source = String::from(COMMON);
    for handler in 0..items {
        let attribute = match kind {
            Kind::Plain => String::new(),
            Kind::Ours => {
                format!("#[audited::audited(action = \"bench.h{handler}\", fields(a, b, c = plain(c), d, e, f))]")
            }
            Kind::Theirs => "#[tracing::instrument]".to_owned(),
        };
        let _ = write!(source, "{attribute}{}", HANDLER.replace("NAME", &format!("h{handler}")));
    }
    source.push_str("fn main() {\n");
    for handler in 0..items {
        let _ = writeln!(source, "    run(Box::pin(h{handler}(1, 2, String::new(), false, 5, 6)));");
    }
    source.push_str("}\n");
    source
}

fn types(kind: Kind, items: u32) -> String {
    let (derive, [plain, dropped], written) = match kind {
        Kind::Plain => ("", [""; 2], "std::hint::black_box(value);"),
        Kind::Ours => (
            "#[derive(audited::Sensitive)]",
            ["#[sensitive(plain)]", "#[sensitive]"],
            "std::hint::black_box(audited::Detail::new(value));",
        ),
        Kind::Theirs => {
            ("#[derive(serde::Serialize)]", [""; 2], "std::hint::black_box(serde_json::to_string(value).ok());")
        }
    };
    let mut source = String::new();
    for item in 0..items {
        let _ = write!(
            source,
            "{derive} pub struct T{item} {{ pub a: u64, pub b: u32, {plain} pub c: String, pub d: bool, pub e: i64, {dropped} \
             pub f: String, {plain} pub g: String, pub h: Option<u64> }}\n#[inline(never)] pub fn f{item}(value: &T{item}) \
             {{ {written} }}\n"
        );
    }
    source.push_str("fn main() {\n");
    for item in 0..items {
        let _ = writeln!(
            source,
            "    f{item}(&T{item} {{ a: 1, b: 2, c: String::new(), d: false, e: 5, f: String::new(), g: String::new(), h: None }});"
        );
    }
    source.push_str("}\n");
    source
}

const COMMON: &str = "
use std::future::Future;
use std::pin::Pin;

#[derive(Debug)]
pub enum Error { Denied, Failed }

impl audited::Deny for Error {
    fn deny(&self) -> audited::Verdict {
        match self {
            Self::Denied => audited::Verdict::denied(\"denied\"),
            Self::Failed => audited::Verdict::failure(\"failed\"),
        }
    }
}

#[inline(never)]
async fn step(number: u64) -> Result<u64, Error> {
    if number == 7 { Err(Error::Failed) } else { Ok(number) }
}

#[inline(never)]
fn run(future: Pin<Box<dyn Future<Output = Result<u64, Error>> + Send>>) {
    std::hint::black_box(future);
}
";

const HANDLER: &str = "
pub async fn NAME(a: u64, b: u32, c: String, d: bool, e: i64, f: u16) -> Result<u64, Error> {
    if d {
        return Err(Error::Denied);
    }
    let sum = step(a + u64::from(b)).await?;
    Ok(sum + c.len() as u64 + e.unsigned_abs() + u64::from(f))
}
";

#[derive(Clone, Copy)]
enum Mode {
    Check,
    Debug,
    Release,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Check => &["check"],
            Self::Debug => &["build"],
            Self::Release => &["build", "--release"],
        }
    }
}

/// How long a build took.
struct Took {
    clock: Duration,
    /// What its processes had of the processors; nothing where that is not told.
    processors: Duration,
}

/// What the processors have done for the processes that this one has waited for: `utime` and `stime` of children, in
/// hundredths of a second.
fn processors() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may hold blanks.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

struct Bench {
    what: What,
    folder: PathBuf,
}

impl Bench {
    fn new(folder: &Path, what: What) -> Self {
        Self { what, folder: folder.to_owned() }
    }

    /// A package of one kind, with so many times the items.
    fn package(&self, kind: Kind, times: u32) -> (String, Package) {
        let others = "serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \"1\"\ntracing = \"0.1\"\n";
        let name = format!("bench-{}-{times}", kind.name());
        let source = self.what.source(kind, ITEMS * times);
        let package = Package::write(self.folder.join(&name), &name, others, &source);
        (name, package)
    }

    /// Builds one package anew, and says how long that took.
    fn build(&self, kind: Kind, mode: Mode) -> Took {
        let (_, package) = self.package(kind, 1);
        let run = || {
            fs::File::options()
                .append(true)
                .open(package.source())
                .and_then(|file| file.set_modified(std::time::SystemTime::now()))
                .expect("a newer source");
            let (start, before) = (Instant::now(), processors());
            package.cargo(mode.arguments(), self.folder.join("target"));
            Took { clock: start.elapsed(), processors: processors().saturating_sub(before) }
        };
        // The first one builds the dependencies, too.
        let built = self.folder.join(format!("{}-{}", mode.name(), kind.name()));
        if !built.exists() {
            run();
            fs::write(built, "").expect("a note");
        }
        run()
    }

    /// The size of the program without its symbols.
    fn size(&self, kind: Kind, times: u32) -> f64 {
        let (name, package) = self.package(kind, times);
        package.cargo(Mode::Release.arguments(), self.folder.join("target"));
        let program = self.folder.join("target/release").join(&name);
        let stripped = self.folder.join(format!("{name}.stripped"));
        let strip = Command::new("strip").arg("-o").arg(&stripped).arg(&program).status();
        let measured = if strip.is_ok_and(|status| status.success()) { &stripped } else { &program };
        let bytes = fs::metadata(measured).expect("a program").len();
        f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
    }
}

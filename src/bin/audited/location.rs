//! The one form in which places of records are named: `journal:DIR`, `sqlite:FILE`, `postgres://…`, `nats://…`.

use std::fmt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::output::escape;

/// Where records are. `Display` and `Debug` show neither a user's password nor what a query string says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Journal(PathBuf),
    Sqlite(PathBuf),
    Postgres(String),
    Nats(String),
}

impl Location {
    /// Reads one. The error shows no more of it than `Display` would.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        const FORMS: &str = "journal:DIR, sqlite:FILE or postgres://USER@HOST/DATABASE";
        let path = |rest: &str, kind: &str, example: &str| match rest {
            "" => Err(Failure::usage(format!("`{kind}:` names no path: write {kind}:{example}"))),
            rest if rest.starts_with("//") && !rest.starts_with("///") => Err(Failure::usage(format!(
                "`{kind}://` would name a host, and a {kind} has none: write {kind}:{example} or {kind}:/var/lib/{example}"
            ))),
            rest => Ok(PathBuf::from(rest.strip_prefix("//").unwrap_or(rest))),
        };
        if let Some((scheme, rest)) = text.split_once(':') {
            match scheme {
                "journal" => return path(rest, "journal", "audit").map(Self::Journal),
                "sqlite" => return path(rest, "sqlite", "audit.db").map(Self::Sqlite),
                "postgres" | "postgresql" if rest.starts_with("//") => return server(text).map(Self::Postgres),
                "nats" | "tls" if rest.starts_with("//") => return server(text).map(Self::Nats),
                "postgres" | "postgresql" | "nats" => {
                    return Err(Failure::usage(format!("`{scheme}:` is followed by `//`, as in {scheme}://host/…")));
                }
                _ => {}
            }
        }
        let path = std::path::Path::new(text);
        let guess = if path.is_dir() {
            format!(". Did you mean journal:{}?", escape(text))
        } else if path.is_file() {
            format!(". Did you mean sqlite:{}?", escape(text))
        } else {
            String::new()
        };
        Err(Failure::usage(format!(
            "`{}` does not say what it is: write {FORMS}{guess}",
            escape(&without_secrets(text))
        )))
    }

    /// Whether the text holds a password, which everybody on the machine can see on a command line.
    pub(crate) fn has_password(text: &str) -> bool {
        without_secrets(text) != text
    }
}

/// The URL of a server. What is not escaped in a password would be taken for a host, or a path, and be shown as such.
fn server(text: &str) -> Result<String, Failure> {
    let user_info = text.split_once("://").and_then(|(_, rest)| Some(rest.rsplit_once('@')?.0)).unwrap_or_default();
    if user_info.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '/' | '?' | '#')) {
        return Err(Failure::usage(format!(
            "{}: in a user, a password or a parameter, `@`, `/`, `?`, `#` and blanks are written as %40, %2F, %3F, %23 and %20",
            escape(&without_secrets(text))
        )));
    }
    Ok(text.to_owned())
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Journal(path) => format!("journal:{}", path.display()),
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) | Self::Nats(url) => {
                let url = without_secrets(url);
                url.split('?').next().unwrap_or_default().to_owned()
            }
        };
        f.write_str(&escape(&text))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// A text with every password in a URL's authority, and in a parameter or a setting that says `password=`, replaced.
///
/// What is between `//` and the last `@` is taken for a user and a password, also where the password holds an `@`, a `/`,
/// a blank or a `?` that should have been escaped: rather too much is hidden than too little.
pub(crate) fn without_secrets(text: &str) -> String {
    without_parameter(&without_password(text))
}

/// A text with the passwords replaced that stand in the arguments of this program: whoever gives an address where
/// something else belongs is told so, and not with the password.
pub(crate) fn without_arguments(mut text: String) -> String {
    for argument in std::env::args_os().skip(1) {
        let argument = argument.to_string_lossy();
        for part in [Some(&*argument), argument.split_once('=').map(|(_, value)| value)].into_iter().flatten() {
            let shown = without_secrets(part);
            if shown != part {
                text = text.replace(part, &shown).replace(&*escape(part), &escape(&shown));
            }
        }
    }
    text
}

fn without_password(text: &str) -> String {
    let hidden = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user_info, behind) = rest.rsplit_once('@')?;
        match user_info.split_once(':') {
            Some((user, _)) => Some(format!("{scheme}://{user}:***@{behind}")),
            // With NATS that may be a token.
            None if scheme.ends_with("nats") || scheme.ends_with("tls") => Some(format!("{scheme}://***@{behind}")),
            None => None,
        }
    };
    hidden().unwrap_or_else(|| text.to_owned())
}

fn without_parameter(text: &str) -> String {
    const NAME: &str = "password=";
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.to_ascii_lowercase().find(NAME) {
        let (before, secret) = rest.split_at(at + NAME.len());
        shown = shown + before + "***";
        rest = &secret[secret.find('&').unwrap_or(secret.len())..];
    }
    shown + rest
}

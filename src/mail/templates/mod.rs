//! The words of the letters: those that come with the program, and those that an operator puts in their place.

mod built_in;
#[cfg(test)]
mod tests;
mod values;

use std::{collections::BTreeSet, fmt, fs, io, path::Path, sync::Arc};

use minijinja::{Environment, UndefinedBehavior, Value, context};

use self::{
    built_in::{BUILT_IN, LAYOUT},
    values::{name, samples, values},
};
use super::{Content, LinkBase};
use crate::domain::Locale;

/// The words of every letter, in every language; cheap to clone.
#[derive(Clone)]
pub struct Templates(Arc<Inner>);

struct Inner {
    environment: Environment<'static>,
    /// What the letters call the service.
    service: String,
    links: LinkBase,
}

/// A letter in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject line.
    pub subject: String,
    /// The letter, in plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or a file in it cannot be read.
    #[error("{what} cannot be read: {error}")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// No letter has this file.
    #[error("{file} is of no letter: files are called like password_reset.en.txt, password_reset.en.html or {LAYOUT}")]
    Unknown {
        /// Its name.
        file: String,
    },
    /// It is not written as templates are.
    #[error("{file} {why}")]
    Malformed {
        /// Its name.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// It wants to know what nobody knows.
    #[error("{file} has the unknown placeholder {placeholder}; it may have: {}", known.join(", "))]
    UnknownPlaceholder {
        /// Its name.
        file: String,
        /// What it asks for.
        placeholder: String,
        /// What it could ask for.
        known: Vec<&'static str>,
    },
}

/// What the layout is filled in with.
const IN_LAYOUT: [&str; 6] = ["lang", "subject", "paragraphs", "service", "link", "code"];

impl Templates {
    /// The letters that come with the program, with those of `folder` in their place where there are such.
    ///
    /// # Errors
    /// When one of them could not be sent.
    pub fn load(folder: Option<&Path>, service: &str, links: LinkBase) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (file, source) in BUILT_IN {
            add(&mut environment, file, source)?;
        }
        for (file, source) in folder.map(read).transpose()?.unwrap_or_default() {
            add(&mut environment, &file, &source)?;
        }
        let templates = Self(Arc::new(Inner { environment, service: service.to_owned(), links }));
        templates.check()?;
        Ok(templates)
    }

    /// Puts a letter into words.
    ///
    /// # Errors
    /// When a template fails on it.
    pub fn render(&self, content: &Content, locale: Locale) -> Result<Rendered, TemplateError> {
        let Inner { environment, service, links } = &*self.0;
        let (name, values) = (name(content), values(content, service, links));
        let file = format!("{name}.{locale}.txt");
        let filled = Value::from_pairs(values.iter().map(|(key, value)| (*key, value)));
        let whole = fill_in(environment, &file, filled.clone())?;
        let (subject, text) = split(&file, &whole)?;
        let own = format!("{name}.{locale}.html");
        let html = if environment.get_template(&own).is_ok() {
            fill_in(environment, &own, filled)?
        } else {
            let value = |key| values.get(key).map_or("", String::as_str);
            let (link, code) = (value("link"), value("code"));
            let paragraphs: Value =
                text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).collect();
            let lang = locale.as_str();
            fill_in(environment, LAYOUT, context! { lang, subject, paragraphs, service, link, code })?
        };
        Ok(Rendered { subject: subject.to_owned(), text: text.to_owned(), html })
    }

    /// Tries every letter in every language.
    fn check(&self) -> Result<(), TemplateError> {
        let Inner { environment, service, links } = &*self.0;
        let layout: Vec<&str> = IN_LAYOUT.to_vec();
        require_known(environment, LAYOUT, &layout)?;
        for content in samples() {
            let values = values(&content, service, links);
            let known: Vec<&str> = values.keys().copied().collect();
            for locale in Locale::ALL {
                for ending in ["txt", "html"] {
                    let file = format!("{}.{locale}.{ending}", name(&content));
                    if environment.get_template(&file).is_ok() {
                        require_known(environment, &file, &known)?;
                    }
                }
                let rendered = self.render(&content, locale)?;
                // Whoever gets a letter about a code has to find it there.
                for (part, ending) in [(&rendered.text, "txt"), (&rendered.html, "html")] {
                    let holds = |key| values.get(key).is_some_and(|value| part.contains(value.as_str()));
                    if values.contains_key("code") && !holds("link") && !holds("code") {
                        let file = format!("{}.{locale}.{ending}", name(&content));
                        let why = "shows neither {{ link }} nor {{ code }}".to_owned();
                        return Err(TemplateError::Malformed { file, why });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The files of a folder that are templates by their ending.
fn read(folder: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |error| TemplateError::Unreadable { what: "the folder".to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !path.extension().is_some_and(|ending| ending == "txt" || ending == "html") {
            continue;
        }
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !is_of_a_letter(&file) {
            return Err(TemplateError::Unknown { file });
        }
        let source = fs::read_to_string(&path);
        let source = source.map_err(|error| TemplateError::Unreadable { what: file.clone(), error })?;
        files.push((file, source));
    }
    files.sort();
    Ok(files)
}

fn is_of_a_letter(file: &str) -> bool {
    let text = file.strip_suffix(".html").map(|stem| format!("{stem}.txt"));
    BUILT_IN.iter().any(|(known, _)| *known == file || text.as_deref() == Some(*known))
}

fn add(environment: &mut Environment<'static>, file: &str, source: &str) -> Result<(), TemplateError> {
    let source = source.replace("\r\n", "\n");
    environment.add_template_owned(file.to_owned(), source).map_err(|error| malformed(file, &error))
}

fn fill_in(environment: &Environment<'_>, file: &str, values: Value) -> Result<String, TemplateError> {
    let template = environment.get_template(file).map_err(|error| malformed(file, &error))?;
    template.render(values).map_err(|error| malformed(file, &error))
}

fn require_known(environment: &Environment<'_>, file: &str, known: &[&'static str]) -> Result<(), TemplateError> {
    let template = environment.get_template(file).map_err(|error| malformed(file, &error))?;
    let asked: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    match asked.into_iter().find(|placeholder| !known.contains(&placeholder.as_str())) {
        Some(placeholder) => {
            Err(TemplateError::UnknownPlaceholder { file: file.to_owned(), placeholder, known: known.to_vec() })
        }
        None => Ok(()),
    }
}

/// The subject, which is the first line, and the letter below the empty one that follows.
fn split<'a>(file: &str, whole: &'a str) -> Result<(&'a str, &'a str), TemplateError> {
    let parts = whole.strip_prefix("Subject: ").and_then(|rest| rest.split_once("\n\n"));
    match parts {
        Some((subject, text)) if !subject.trim().is_empty() && !subject.contains('\n') => Ok((subject.trim(), text)),
        _ => {
            let why = "must begin with a line `Subject: …` and an empty one".to_owned();
            Err(TemplateError::Malformed { file: file.to_owned(), why })
        }
    }
}

/// Names the line, and never what it was filled in with.
fn malformed(file: &str, error: &minijinja::Error) -> TemplateError {
    let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let why = format!("cannot be used{line}: {}{detail}", error.kind());
    TemplateError::Malformed { file: file.to_owned(), why }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("service", &self.0.service).finish_non_exhaustive()
    }
}

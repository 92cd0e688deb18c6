//! TOML as a flat list of settings, each with its line.

use secrecy::SecretString;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::setting::Value;

/// What a TOML text sets.
pub(super) struct Document {
    /// In the order of their lines.
    pub(super) entries: Vec<Entry>,
    /// What is not TOML: the line and the parser's words, which quote nothing.
    pub(super) errors: Vec<(usize, String)>,
}

/// One key of it.
pub(super) struct Entry {
    /// As `section.key`.
    pub(super) key: String,
    /// Counted from one.
    pub(super) line: usize,
    /// `None` when it is of a type that no setting has.
    pub(super) value: Option<Value>,
}

/// Reads a TOML text.
pub(super) fn parse(text: &str) -> Document {
    let (table, errors) = DeTable::parse_recoverable(text);
    // Not the error itself: it would print the line, and the line may hold a secret.
    let told = |e: &toml::de::Error| (line(text, e.span().map_or(0, |span| span.start)), e.message().to_owned());
    let mut errors: Vec<_> = errors.iter().map(told).collect();
    let mut entries = Vec::new();
    flatten(table.get_ref(), "", text, &mut entries);
    errors.sort();
    entries.sort_by_key(|entry| entry.line);
    Document { entries, errors }
}

fn flatten(table: &DeTable<'_>, section: &str, text: &str, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let key = if section.is_empty() { name.get_ref().to_string() } else { format!("{section}.{}", name.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(inner, &key, text, entries),
            value => entries.push(Entry { key, line: line(text, name.span().start), value: to_value(value) }),
        }
    }
}

fn to_value(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(SecretString::from(text.as_ref()))),
        DeValue::Integer(number) => Some(Value::Text(SecretString::from(number.to_string()))),
        DeValue::Boolean(flag) => Some(Value::Text(SecretString::from(flag.to_string()))),
        DeValue::Array(items) => {
            let text = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(ToOwned::to_owned);
            items.iter().map(text).collect::<Option<_>>().map(Value::List)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn line(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

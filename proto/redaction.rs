//! Keeps secrets out of the `Debug` of generated messages: shared by the build scripts of the service and of its Rust client.

use std::fmt::Write as _;

use protox::prost_reflect::MessageDescriptor;

/// Whether some field says `[debug_redact = true]`, which prost does not look at.
pub(crate) fn has_secret(message: &MessageDescriptor) -> bool {
    message.fields().any(|field| {
        let options = field.options();
        options.get_field_by_name("debug_redact").is_some_and(|value| value.as_bool() == Some(true))
    })
}

/// A `Debug` for each that says no more than its name.
pub(crate) fn redacted_debug(messages: &[MessageDescriptor]) -> Result<String, std::fmt::Error> {
    let mut code = String::new();
    for message in messages {
        let name = message.name();
        writeln!(code, "impl ::core::fmt::Debug for {name} {{")?;
        writeln!(code, "    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{")?;
        writeln!(code, "        f.debug_struct({name:?}).finish_non_exhaustive()")?;
        writeln!(code, "    }}\n}}")?;
    }
    Ok(code)
}

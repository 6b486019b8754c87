use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
};

/// What services of another release rely on, as sorted lines: every field with number and type, every enum value, every
/// method. It is kept in `proto/descriptor.lock`; a removed or changed line breaks those services.
///
/// # Errors
/// When the embedded descriptors cannot be read, which is a bug.
pub fn descriptor_lock() -> Result<String, prost::DecodeError> {
    let set = FileDescriptorSet::decode(super::DESCRIPTORS)?;
    let mut lines = Vec::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("songlist.")) {
        for message in &file.message_type {
            of_message(file.package(), message, &mut lines);
        }
        of_enums(file.package(), &file.enum_type, &mut lines);
        for service in &file.service {
            for method in &service.method {
                let stream = |streams: bool| if streams { "stream " } else { "" };
                lines.push(format!(
                    "{}.{}/{} ({}{}) returns ({}{})",
                    file.package(),
                    service.name(),
                    method.name(),
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type()
                ));
            }
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

fn of_message(parent: &str, message: &DescriptorProto, lines: &mut Vec<String>) {
    let name = format!("{parent}.{}", message.name());
    lines.extend(message.field.iter().map(|field| format!("{name} {}", of_field(field))));
    of_enums(&name, &message.enum_type, lines);
    for nested in &message.nested_type {
        of_message(&name, nested, lines);
    }
}

fn of_enums(parent: &str, enums: &[EnumDescriptorProto], lines: &mut Vec<String>) {
    for kind in enums {
        let line = |value: &EnumValueDescriptorProto| {
            format!("{parent}.{} {} = {}", kind.name(), value.name(), value.number())
        };
        lines.extend(kind.value.iter().map(line));
    }
}

fn of_field(field: &FieldDescriptorProto) -> String {
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    let repeated = if field.label() == Label::Repeated { "repeated " } else { "" };
    format!("{} = {} {repeated}{kind}", field.name(), field.number())
}

"""Violations of the config's schema, and keys that it has twice, in words."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from jsonschema.exceptions import ValidationError

from .seeds import canonical
from .tasks import suggestion


def sentence(error: ValidationError) -> str:
    """Return one sentence about one violation of the schema: key, found value, what is allowed."""
    where = ".".join(map(str, error.absolute_path))
    schema, found = error.schema, error.instance
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        unknown = sorted(set(map(str, found)) - set(known))
        names = "; ".join(f"unknown key {name!r}{suggestion(name, known)}" for name in unknown)
        return f"{where or 'top level'}: {names}; allowed: {', '.join(known)}"
    if error.validator == "required":
        missing = sorted(set(schema["required"]) - set(found))
        names = f"the key {missing[0]} is" if len(missing) == 1 else f"the keys {', '.join(missing)} are"
        return f"{where or 'top level'}: {names} missing"
    if error.validator == "dependentRequired":
        missing = sorted({name for key, names in schema["dependentRequired"].items() if key in found for name in names})
        missing = [name for name in missing if name not in found]
        return f"{where or 'top level'}: also needs {', '.join(missing)}"
    hint = suggestion(found, schema["enum"]) if error.validator == "enum" else ""
    if isinstance(found, str) and schema.get("type") in ("number", "integer"):
        hint = _hint_on_text(found)
    elif error.validator == "type" and schema.get("type") == "string" and not isinstance(found, dict | list):
        is_word = found is None or isinstance(found, bool)  # YAML's for on, no, ~, …
        hint = "; as text, put the word in quotes" if is_word else f"; as text, write '{found}' in quotes"
    about = f". {schema['description']}" if "description" in schema else ""
    return f"{where}: found {found!r}; allowed: {_allowed(error)}{hint}{about}"


def _allowed(error: ValidationError) -> str:
    """Return what the schema allows at the place of an error."""
    schema = error.schema
    match error.validator:
        case "enum":
            return ", ".join(map(str, schema["enum"]))
        case "uniqueItems":
            return "each entry once"
        case "minItems" | "minProperties":
            return f"at least {error.validator_value} entry"
        case "maxProperties":
            return f"{error.validator_value} entry, one of {', '.join(schema['properties'])}"
    words = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "to {}",
        "exclusiveMaximum": "below {}",
    }
    limits = [text.format(schema[key]) for key, text in words.items() if key in schema]
    unit = f" ({schema['unit']})" if schema.get("unit", "none") != "none" else ""
    return (schema["allowed"] if "allowed" in schema else " ".join([schema["type"], *limits])) + unit


def _hint_on_text(found: str) -> str:
    """Return why a number arrived as text, or an empty string if the text is not a number."""
    try:
        number = float(found)
    except ValueError:
        return ""
    if isinstance(yaml.safe_load(found), str):  # YAML 1.1 needs a point and a signed exponent
        return f"; YAML reads {found} as text, write {canonical(number)}"
    return "; this number is text: Snakemake reads all values in a list or mapping of --config as text, use a file"


def repeated_keys(path: str | Path) -> list[str]:
    """Return the keys that occur twice in one mapping of a YAML file, with their lines; none if it cannot be parsed."""
    try:
        return list(_repeated(yaml.compose(Path(path).read_bytes())))
    except yaml.YAMLError:  # Snakemake reports it
        return []


def _repeated(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for inner in node.value:
            yield from _repeated(inner)
    elif isinstance(node, yaml.MappingNode):
        first = {}
        for key, inner in node.value:
            line = key.start_mark.line + 1
            # Several mappings may be merged (`<<`).
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in first:
                    before = first[key.tag, key.value]
                    yield f"line {line}: found the key {key.value} again, as in line {before}; allowed: once"
                first.setdefault((key.tag, key.value), line)
            yield from _repeated(inner)

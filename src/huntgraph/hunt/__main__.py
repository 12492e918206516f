"""``python -m huntgraph.hunt``: writes the published JSON Schema anew."""

from huntgraph.hunt.jsonschema import SCHEMA_FILE, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    print(f"{SCHEMA_FILE} written")

"""The description of a bundle for other tools: RO-Crate 1.2 (https://w3id.org/ro/crate/1.2), as JSON-LD."""

import json
from collections.abc import Mapping

NAME = "ro-crate-metadata.json"

PAPER = "https://arxiv.org/abs/2310.09031"

MEDIA_TYPES = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "lock": "text/plain",
    "md": "text/markdown",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": "image/png",
    "safetensors": "application/octet-stream",
    "sha256": "text/plain",
    "tex": "application/x-tex",
}


def describe(
    name: str, description: str, files: Mapping[str, str], *, date: str, version: str, instruments: list[str]
) -> bytes:
    """Return the metadata file of a crate.

    `files` maps the names of its files to descriptions; `date` is the day of publication, `version` that of the
    software, `instruments` the machines that the study ran on.
    """
    software = {
        "@id": "#minde",
        "@type": "SoftwareApplication",
        "name": "minde",
        "version": version,
        "license": {"@id": "https://spdx.org/licenses/MIT"},
    }
    machines = [
        {"@id": f"#machine-{i}", "@type": "IndividualProduct", "name": machine} for i, machine in enumerate(instruments)
    ]
    run = {
        "@id": "#study",
        "@type": "CreateAction",
        "name": f"run of {name}",
        "instrument": [{"@id": entity["@id"]} for entity in (software, *machines)],
        "result": {"@id": "./"},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": name,
        "description": description,
        "datePublished": date,
        "license": "No licence has been chosen for these results; ask their authors.",
        "citation": {"@id": PAPER},
        "mentions": {"@id": "#study"},
        "hasPart": [{"@id": path} for path in files],
    }
    graph = [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"},
        },
        root,
        *(_file(path, about) for path, about in files.items()),
        run,
        software,
        *machines,
        {
            "@id": PAPER,
            "@type": "ScholarlyArticle",
            "name": "MINDE: Mutual Information Neural Diffusion Estimation",
        },
        {"@id": "https://spdx.org/licenses/MIT", "@type": "CreativeWork", "name": "MIT licence"},
    ]
    crate = {"@context": "https://w3id.org/ro/crate/1.2/context", "@graph": graph}
    return (json.dumps(crate, indent=1, ensure_ascii=False) + "\n").encode()


def _file(path: str, about: str) -> dict:
    media_type = MEDIA_TYPES.get(path.rsplit(".", 1)[-1], "application/octet-stream")
    return {"@id": path, "@type": "File", "name": about, "encodingFormat": media_type}

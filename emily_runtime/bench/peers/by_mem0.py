"""Mem0 that keeps what it is told as it is, with its own local Qdrant and no model to ask."""

import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

NAMES = ("mem0ai", "qdrant-client")
_SIZE = 256


class Fixed:
    """A vector for a text that costs nothing."""

    def __init__(self, config: Any = None) -> None:
        self.config = config

    def embed(self, text: str, memory_action: object = None) -> list[float]:  # noqa: ARG002
        """The same one always."""
        return [1 / 16] * _SIZE

    def embed_batch(self, texts: list[str], memory_action: object = None) -> list[list[float]]:
        """For each."""
        return [self.embed(text, memory_action) for text in texts]


def prepared(texts: list[str]) -> Callable[[], None]:
    """Each of TEXTS added by itself."""
    folder = tempfile.mkdtemp(prefix="emily-bench-")
    os.environ |= {"MEM0_DIR": folder, "OPENAI_API_KEY": "nobody is asked"}
    mem0: Any = import_module("mem0")
    known: Any = import_module("mem0.utils.factory").EmbedderFactory.provider_to_class
    ours: Any = ModuleType("fixed_vectors")
    ours.Fixed = Fixed
    sys.modules[ours.__name__] = ours
    known["huggingface"] = f"{ours.__name__}.Fixed"
    place = {"path": f"{folder}/vectors", "collection_name": "bench", "on_disk": True}
    memory = mem0.Memory.from_config(
        {
            "embedder": {"provider": "huggingface", "config": {"embedding_dims": _SIZE}},
            "vector_store": {
                "provider": "qdrant",
                "config": place | {"embedding_model_dims": _SIZE},
            },
            "history_db_path": f"{folder}/history.db",
        }
    )

    def work() -> None:
        for text in texts:
            memory.add(text, user_id="bench", infer=False)

    return work

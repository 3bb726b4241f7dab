"""The stream real_time_processing: five mappings, named like the sections of the other settings.

It reads the orders of files that appear in a folder, and counts them by minute of their own time. A minute is
written, once, when no order may come late for it any more. src/generator.py drops such files.
"""

global_settings = {
    "project_name": "{{project_name}}",
    "output_path": "data/output",
    # Where a stream keeps its place: it goes on from there when it is started again.
    "checkpoints_base": "data/checkpoints",
}

pipelines = {
    "real_time_processing": {
        "description": "Orders of each minute, while they come in",
        "type": "streaming",
        "nodes": ["orders_by_minute"],
    },
}

nodes = {
    "orders_by_minute": {
        "module": "nodes.streaming",
        "function": "orders_by_minute",
        "input": "order_events",
        "output": "streaming.sales.orders_by_minute",
        "streaming": {
            "trigger": {"type": "processing_time", "interval": "2 seconds"},
            "output_mode": "append",
            "watermark": {"column": "ordered_at", "delay": "10 minutes"},
        },
    },
}

input = {
    "order_events": {
        "format": "json",
        "filepath": "data/input/events",
        "schema": "order_id STRING, country STRING, amount DOUBLE, ordered_at TIMESTAMP",
    },
}

# config/base/output.yaml describes it too: there the batch pipelines find it.
# A Delta table needs format: delta in both, and once: tauro engine install --delta
output = {
    "streaming.sales.orders_by_minute": {"format": "parquet"},
}

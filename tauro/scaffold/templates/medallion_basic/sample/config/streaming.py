"""The stream real_time_processing: five mappings, named like the sections of the other settings.

It reads events from files that appear in a folder, counts them by minute of their own time, and
keeps late ones for ten minutes.
"""

global_settings = {
    "project_name": "{{project_name}}",
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
            "trigger": {"type": "processing_time", "interval": "5 seconds"},
            "output_mode": "append",
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

output = {
    "streaming.sales.orders_by_minute": {
        "format": "parquet",
        "filepath": "data/output/streaming/orders_by_minute",
    },
}

"""Tells lineage tools what a run reads and writes, as OpenLineage events: one JSON object a line.

::

    with open_lineage(Path("events.jsonl")) as write:
        project.run(plan, listeners=[Lineage(plan, write)])

Every run of a pipeline is a run of a job, and so is every node that starts; a node's run names that of
its pipeline as its parent. Runs have ids that follow from Tauro's own, so that a resumed run can name
the one that it goes on with. The specification is that of https://openlineage.io/spec/2-0-2/OpenLineage.json.
"""

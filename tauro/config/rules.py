"""Every kind of fault that a configuration can have: what it means and how it is mended.

The reports, their SARIF form and the troubleshooting page speak of faults by these ids; a test
holds the table complete. It is read only where one of them is written.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """A kind of fault.

    Attributes:
        title: What it is, in a few words.
        meaning: What is wrong, and why it matters.
        mend: What to do about it.
    """

    title: str
    meaning: str
    mend: str


RULES: dict[str, Rule] = {
    # ---------------------------------------------------------------- files
    "settings-index": Rule(
        "The settings index is not valid",
        "The index (settings_yml.json and its like) has a key that is not known, or a value that is not what its key "
        "takes. It may hold base_path, and env_config with the five files of each environment.",
        "Correct the key or the value at the place that is shown.",
    ),
    "missing-file": Rule(
        "A file of the index does not exist",
        "The settings index names a file for a section, and there is none.",
        "Mend the path in the index, or make the file. Names that look alike are listed.",
    ),
    "settings-file": Rule(
        "A settings file cannot be used",
        "Its name ends in something else than .yaml, .yml, .json or .dsl, or it is larger than any settings file is.",
        "Name another file, or give it the ending of its format.",
    ),
    "two-files": Rule(
        "One section has two files",
        "The folder of an environment holds a section in two formats, such as nodes.yaml and nodes.json. Which of them "
        "counts would be a guess.",
        "Remove one of the two, or name the one that counts in the settings index.",
    ),
    "stray-file": Rule(
        "A file is read by nobody",
        "A file beside the sections has nearly the name of one, such as node.yaml. It looks like settings and is none.",
        "Rename it to the section's name, or remove it.",
    ),
    "environment-without-settings": Rule(
        "The environment has no settings of its own",
        "The environment is valid, but neither the index nor a folder config/<env>/ has anything for it: it runs on "
        "the layers below. That is right for a new sandbox, and wrong for a misspelt one.",
        "Check its spelling, or make config/<env>/ with the sections that differ.",
    ),
    "syntax": Rule(
        "The file is not in its format",
        "The text cannot be read as YAML, JSON or DSL, or it holds what no settings file may: byte order marks, bytes "
        "that are not UTF-8, tags such as !!python/object, nesting without end.",
        "Correct the text at the caret. In YAML, look at the indentation and at quotes of the lines before too.",
    ),
    "duplicate-key": Rule(
        "A key stands twice",
        "One mapping has a key twice, or two spellings of one key. One of the values would be lost without a word.",
        "Keep one of the two.",
    ),
    # ---------------------------------------------------------------- values
    "type": Rule(
        "A value is not what its key takes",
        "The value has another type, is out of range, or is none of the words that are valid. Words that YAML 1.1 and "
        "people read differently (yes, no, on, off, 22:30) must be quoted where a text is meant.",
        "Write the value as the message says. docs/configuration.md lists what every key takes.",
    ),
    "unknown-key": Rule(
        "A key is not known",
        "The settings have a key that nothing looks at: a misspelling, or a key of another section.",
        "Take the nearest key that is shown, or remove it.",
    ),
    "unknown-variable": Rule(
        "A reference has no value",
        "${NAME} is neither an environment variable, nor in global_settings, nor one of the run's own values.",
        "Set it, or give it a default: ${NAME:-default}. $${ stands for the text ${ itself.",
    ),
    "near-miss": Rule(
        "A variable looks like a setting",
        "Keys of global_settings that are not known are variables for references. This one is nearly the name of a "
        "setting.",
        "Correct it to the setting's name, or give the variable another one.",
    ),
    "dates": Rule(
        "The dates are not in order",
        "start_date of global_settings is after end_date.",
        "Correct one of them.",
    ),
    "not-carried-out": Rule(
        "A key is not carried out by this version",
        "The key belongs to the configuration and is checked, but this version does nothing with it yet.",
        "Do not rely on it; remove it if the warning disturbs.",
    ),
    "no-effect": Rule(
        "A key has no effect here",
        "The key is valid, but not for a dataset of this kind, or not in a pipeline of this type.",
        "Remove it, or change what makes it useless: the message says what that is.",
    ),
    # ---------------------------------------------------------------- pipelines
    "no-pipelines": Rule(
        "The project has no pipelines",
        "The pipelines section is empty in this environment, so there is nothing to run.",
        "Describe a pipeline in config/base/pipelines.yaml.",
    ),
    "empty-pipeline": Rule(
        "A pipeline has no nodes",
        "Its list of nodes is missing or empty.",
        "Name its nodes, or remove the pipeline.",
    ),
    "unknown-node": Rule(
        "A node does not exist",
        "A pipeline or a dependency names a node that the nodes section does not have.",
        "Take the nearest name that is shown, or describe the node.",
    ),
    "duplicate-node": Rule(
        "A node stands twice in a pipeline",
        "A node runs once in a run; named twice, one of the two is a mistake.",
        "Remove one of the two.",
    ),
    "cycle": Rule(
        "Nodes wait for each other",
        "Every node of the circle that is shown waits for the next one, by its dependencies or by what it reads, so "
        "none of them could ever start.",
        "Remove one of these dependencies.",
    ),
    "two-writers": Rule(
        "Two nodes write one dataset",
        "Two nodes of one pipeline have the same output: the last one would win, whichever that is.",
        "Give one of them another dataset.",
    ),
    "unstored-dependency": Rule(
        "A dependency outside the pipeline stores nothing",
        "A node depends on one of another pipeline whose output is only in memory, so nothing of it is there.",
        "Add that node to the pipeline, or describe its output in the output section.",
    ),
    "unknown-dataset": Rule(
        "A dataset is not known",
        "A node reads a dataset that is in no input or output section and that no node of its pipeline makes.",
        "Take the nearest name that is shown, or describe the dataset.",
    ),
    # ---------------------------------------------------------------- code
    "no-function": Rule(
        "A node has no function",
        "Its settings do not say which module and function it calls.",
        "Give module and function, or function with its whole dotted path.",
    ),
    "unknown-module": Rule(
        "A module is not found",
        "The module is neither a file below src/, the project's root or lib/, nor an installed package.",
        "Make the file, install the package, or take the nearest name that is shown.",
    ),
    "unknown-function": Rule(
        "A module has no such function",
        "The file of the module was read, not run, and defines no function of that name.",
        "Take the nearest name that is shown, or define it.",
    ),
    "python-syntax": Rule(
        "A Python file cannot be read",
        "The file has a syntax error at the place that is shown.",
        "Mend the Python file.",
    ),
    "reserved-module": Rule(
        "A module has a reserved name",
        "The project has a module with a name of Python's standard library or of a package that Tauro stands on. It "
        "would break the program, so it is never imported in their place.",
        "Rename the file.",
    ),
    "inputs-do-not-fit": Rule(
        "Inputs and parameters do not fit",
        "The function takes another number of inputs than the node has, or demands a parameter that no node is given.",
        "Make 'input' and the function's parameters agree; values of your own go into 'params'.",
    ),
    # ---------------------------------------------------------------- datasets
    "no-format": Rule(
        "A dataset has no format",
        "Nothing says how its data is read or written.",
        "Give format, such as delta, parquet, csv or json.",
    ),
    "format": Rule(
        "A format cannot be used that way",
        "Some formats can only be read, others only be written; what a function writes can be read only if another "
        "dataset describes how.",
        "Choose one of the formats that the hint lists.",
    ),
    "no-filepath": Rule(
        "A dataset has no place",
        "It has no filepath, no table_name, and a name that is not schema.sub_folder.table, so nothing says where its "
        "data is.",
        "Give filepath.",
    ),
    "filepath": Rule(
        "A path is not valid",
        "The path is empty, or climbs out of the project by '..'; or it is a pickle's, and outside of the project.",
        "Give the whole path, from the project's root or absolute.",
    ),
    "two-definitions": Rule(
        "A dataset is described twice",
        "It is in the input and in the output section, at different places or in different formats: what one node "
        "writes, another would not read.",
        "Keep one of the two, or give them two names.",
    ),
    "missing-setting": Rule(
        "A dataset lacks what its format needs",
        "A query needs its text, a database its url and table, xml the element that is a row.",
        "Give the key or option that the message names.",
    ),
    "unknown-parameter": Rule(
        "A value of a query is not known",
        "The query has :name, and params has no such name; nor is it start_date or end_date, which every query has.",
        "Take the nearest name that is shown, or give it in params.",
    ),
    "untrusted-pickle": Rule(
        "A pickle is not allowed",
        "To read a pickle executes what stands in it, with all that you may do.",
        "Take another format, or set allow_untrusted_pickle: true if you trust whoever made the file.",
    ),
    "dataset": Rule(
        "A dataset cannot be read or written as it is",
        "Its place is not safe (inside another dataset, or in a folder of the project's own), or the engine cannot do "
        "what it asks for: a format, an option.",
        "The message says which; choose another place, format or engine.",
    ),
    "merge": Rule(
        "A merge cannot be carried out as it is described",
        "A merge needs a delta table and merge_keys, the columns by which a row is known again; of several things to "
        "do, the first whose condition holds is done, so one without condition must be the last.",
        "Correct the key at the place that is shown.",
    ),
    "partial-overwrite": Rule(
        "A part of a table cannot be overwritten that way",
        "overwrite_strategy replaceWhere and dynamic overwrite a part of a delta table: some rows, or some partitions. "
        "Where that is not possible, all other rows would be lost.",
        "The message says what is missing or in the way; leave out overwrite_strategy to overwrite all.",
    ),
    "maintenance": Rule(
        "A table cannot be maintained that way",
        "zorder_by names a partition column, or vacuum_retention_hours is so short that a reader could lose the files "
        "of the version that it reads.",
        "Correct the key at the place that is shown.",
    ),
    "sql": Rule(
        "SQL cannot be used",
        "A predicate is not one condition, or a query is not one SELECT.",
        "Correct the text at the caret.",
    ),
    "check": Rule(
        "A check cannot be carried out as it is described",
        "Two checks of a dataset have one name, it is compared with itself, or its bad rows would go to two places, to "
        "none, or to one where they would be lost.",
        "The message says which; docs/checks.md describes checks and where bad rows go.",
    ),
    "engine": Rule(
        "The engine cannot start here",
        "The mode in global_settings asks for something that this machine lacks.",
        "Install what the message names, or set mode: local.",
    ),
    # ---------------------------------------------------------------- resumed runs
    "changed-since": Rule(
        "Something has changed since the run that is resumed",
        "Settings, code or inputs are not as they were when the run started. What it completed was made of the earlier "
        "ones, what is resumed is made of the present ones.",
        "Run the pipeline anew if both must be of one kind.",
    ),
    "resumed-already": Rule(
        "The run has been resumed already",
        "A later run has done what this one left undone. To resume it once more does that again, for its dates.",
        "Resume the newest run of the row, or run the pipeline anew.",
    ),
    # ---------------------------------------------------------------- streams
    "not-streamable": Rule(
        "A stream has nothing to stream",
        "None of the node's inputs is of a format that can be streamed.",
        "Read one of the formats that the hint lists, or make the pipeline's type batch.",
    ),
    "no-checkpoint": Rule(
        "A stream has no checkpoint",
        "A stream keeps its place in a checkpoint; without one a restart would lose or double rows.",
        "Give checkpoints_base in global_settings, or checkpoint_location in the node's streaming settings.",
    ),
    "stream-loses-rows": Rule(
        "A source cannot be read again",
        "A socket keeps nothing: rows of a batch that fails are lost.",
        "Use it for trials; for anything else write to Kafka, or to files.",
    ),
    "stream-doubles-rows": Rule(
        "A sink may get rows twice",
        "Kafka takes rows one by one: those of a batch that was begun before a crash come again with the next start.",
        "Give rows a key by which their readers know them again, or write to a Delta table.",
    ),
    "unlocked-checkpoint": Rule(
        "A checkpoint is not locked",
        "The checkpoint is in a storage of objects, which knows no locks: two runs at once would spoil it.",
        "Start the stream in one place only, or keep its checkpoint on a disk.",
    ),
    "stream-mode": Rule(
        "A stream cannot be written so",
        "The sink of the stream does not take what its output mode or its trigger give: files take new rows only, or "
        "all of them anew; changed rows need a merge, Kafka or a function of the project.",
        "Choose one of the output modes or triggers that the hint lists, or another format of the output.",
    ),
    "shared-checkpoint": Rule(
        "Two streams share a checkpoint",
        "Each would go on from the other's place: rows would be lost.",
        "Give each stream a folder of its own.",
    ),
}

"""Shows how runs went, as one page of HTML that needs nothing beside it: no network, no script.

::

    events: list[Event] = []
    project.run(plan, listeners=[events.append])
    page = report_page([Reported(plan, events)])

Plans and events come in, text goes out. A run that still goes on, or was killed, is shown as far as its events tell.
All that comes from outside is escaped, and the project's secrets are hidden.
"""

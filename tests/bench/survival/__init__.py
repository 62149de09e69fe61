"""How often an edit made for one kernel lands on another, beside what other tools do."""

"""Whether the promise was kept: row rules, quarantine, gates, Data Docs."""

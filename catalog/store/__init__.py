"""The catalogue file: its tables, its public views, its ledger of runs. All SQL is here."""

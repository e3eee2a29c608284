complete --keep-order --exclusive --command bitboot --arguments "(COMPLETE=fish bitboot -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"

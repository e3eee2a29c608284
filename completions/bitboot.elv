
set edit:completion:arg-completer[bitboot] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) COMPLETE="elvish" bitboot -- $@words) | to-lines
}


# Makes C of the statements: awk -v what=header|source -f sql/embed.awk sql/*/*.sql
# or, with what=psql, statements that psql can run: as they are, with their parts in place.
# Values written as psql variables (:'name') become $1, $2, ...; `--include NAME` brings in
# sql/parts/NAME.sql; lines that are only a comment stay behind. See lib/sql.h.

function symbol(path) {
    sub(/^sql\//, "", path)
    sub(/\.sql$/, "", path)
    gsub(/[^a-z0-9]/, "_", path)
    return "sql_" path
}

function fail(message) {
    print message > "/dev/stderr"
    failed = 1
    exit 1
}

# A line as the inside of a C string. mawk: "&&" doubles, "\\\\" does not.
function quoted(line) {
    gsub(/\\/, "&&", line)
    gsub(/"/, "\\\"", line)
    gsub(/\t/, "\\t", line)
    return "\"" line "\\n\""
}

function numbered(line,    out, name) {
    out = ""
    while (match(line, /:'[a-z_]+'/)) {
        name = substr(line, RSTART + 2, RLENGTH - 3)
        if (!(name in param)) {
            param[name] = ++n_params
            param_name[n_params] = name
        }
        out = out substr(line, 1, RSTART - 1) "$" param[name]
        line = substr(line, RSTART + RLENGTH)
    }
    return out line
}

function take(path,    line, number, status, part) {
    number = 0
    while ((status = (getline line < path)) > 0) {
        number++
        if (line ~ /^ *--include /) {
            part = line
            sub(/^ *--include /, "", part)
            take("sql/parts/" part ".sql")
            continue
        }
        if (line ~ /^ *--/ || line ~ /^ *$/)
            continue
        if (what == "psql") {
            print line
            continue
        }
        n_lines++
        text[n_lines] = quoted(is_migration ? line : numbered(line))
        file[n_lines] = path
        place[n_lines] = number
    }
    if (status < 0)
        fail(path ": cannot be read")
    close(path)
}

function emit(path,    i, name) {
    name = symbol(path)
    if (what == "header") {
        print "extern const struct sql " name ";"
        return
    }
    split("", param)
    n_params = n_lines = 0
    is_migration = path ~ /\/migrations\//
    take(path)
    print ""
    if (n_params) {
        printf "static const char *const %s_params[] = {", name
        for (i = 1; i <= n_params; i++)
            printf "\"%s\", ", param_name[i]
        print "};"
    }
    print "static const struct sql_origin " name "_origins[] = {"
    for (i = 1; i <= n_lines; i++)
        printf "    {\"%s\", %d},\n", file[i], place[i]
    print "};"
    print "const struct sql " name " = {"
    print "    .file = \"" path "\","
    print "    .text ="
    for (i = 1; i <= n_lines; i++)
        print "        " text[i]
    print "    ,"
    print "    .n_params = " n_params ","
    print "    .params = " (n_params ? name "_params" : "NULL") ","
    print "    .n_lines = " n_lines ","
    print "    .origins = " name "_origins,"
    print "};"
}

function list(name, pattern, wanted,    i, n) {
    print ""
    print "const struct sql *const " name "[] = {"
    for (i = 1; i < ARGC; i++)
        if ((ARGV[i] ~ pattern) == wanted) {
            print "    &" symbol(ARGV[i]) ","
            n++
        }
    print "};"
    print "const size_t " name "_count = " n + 0 ";"
}

BEGIN {
    if (what == "psql") {
        take(ARGV[1])
        print ";"
        exit failed
    }
    print "/* Made by sql/embed.awk from sql/: change the statements there. */"
    if (what == "source")
        print "#include \"sql.h\""
    for (arg = 1; arg < ARGC; arg++)
        emit(ARGV[arg])
    if (what == "source") {
        list("sql_all", "/migrations/", 0)
        list("sql_migrations", "/migrations/", 1)
    }
    exit failed
}

//! The table of this crate's diagnostic codes, with the words that `palisade explain CODE` prints.
//!
//! Codes are stable: scripts and waivers name them. A code that is no longer reported keeps its number unused.

palisade_model::codes! {
    ENCODING "PAL-D0001" "the file is not UTF-8 or UTF-16 text"
    "Documents are read as UTF-8, or as UTF-16 where the file starts with a byte order mark. A byte that fits neither \
     means that the file was saved in another encoding (Latin-1, Windows-1252), was cut in the middle of a character, \
     or is not text at all.\n\n\
     Save the file as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8 old.yaml > new.yaml`."
    CONTROL "PAL-D0002" "a control character stands in the text"
    "YAML and JSON allow no control characters in a document except tab, line feed and carriage return. One usually \
     arrives by a copy from a terminal, or because a binary file carries a `.yaml` name.\n\n\
     Delete the character. Where it is meant, write it as an escape in double quotes: `\"\\u0007\"`."
    TOO_LARGE "PAL-D0003" "the file is larger than the limit"
    "Files above the size limit are not read, so that one file cannot exhaust the memory of a check that runs over a \
     whole repository. Generated data rarely is what a policy should judge.\n\n\
     Leave the file out with `.palisadeignore`, or split it."
    TOO_DEEP "PAL-D0004" "collections are nested deeper than the limit"
    "Real configuration nests a dozen levels; hundreds of them are a mistake or an attack on the reader's stack, for \
     example a file of ten thousand `[` characters.\n\n\
     Flatten the document."
    TOO_MANY "PAL-D0005" "the file holds more nodes, documents or alias copies than the limit"
    "Reading stops at a number of nodes and of documents per file. Aliases count with everything they stand for, \
     because a few lines of aliases to aliases can stand for billions of nodes.\n\n\
     Split the file, or write repeated parts out instead of aliasing aliases."
    TAB "PAL-D0006" "a tab is used for indentation"
    "YAML indents with spaces only: a tab has no agreed width, so the structure would be ambiguous.\n\n\
     Replace the tab by spaces, and let the editor insert spaces in YAML files."
    STRUCTURE "PAL-D0007" "the indentation or structure does not fit"
    "What follows does not continue the collection it stands in. Usual reasons: a line indented one space too far or \
     too little, a list item without `- `, a missing comma in `[a, b]`, text after a closing quote.\n\n\
     For example, `b` below is neither inside `a` nor beside it:\n\n    a:\n        x: 1\n      b: 2"
    UNCLOSED "PAL-D0008" "a quote or bracket is never closed"
    "A string that starts with a quote, a list that starts with `[` or a mapping that starts with `{` ran to the end \
     of the document without its closing counterpart. The place shown is where it was opened.\n\n\
     Close it. Text that begins with a quote or bracket by intention needs quotes around the whole: `'[sic] text'`."
    ESCAPE "PAL-D0009" "an escape sequence is not known"
    "Inside double quotes a backslash starts an escape. YAML knows `\\n`, `\\t`, `\\\\`, `\\\"`, `\\x41`, `\\u00e9` and \
     a few others; JSON knows fewer. Regular expressions are the usual victims: `\"\\d+\"`.\n\n\
     Double the backslash (`\"\\\\d+\"`), or use single quotes in YAML, where a backslash is an ordinary character."
    ALIAS "PAL-D0010" "an alias refers to no anchor, or to itself"
    "`*name` repeats the node marked `&name` earlier in the same document. The anchor may be misspelled, come later, or \
     stand in another document; an alias inside its own anchor would never end.\n\n\
     A value that begins with an asterisk needs quotes: `host: '*.example.com'`."
    KEY "PAL-D0011" "a mapping key is not a plain word, number or boolean"
    "Kubernetes reads YAML as JSON, where keys are strings. Numbers and booleans become strings; lists, mappings and \
     null cannot.\n\n\
     `{{ name }}` without quotes is the usual reason: YAML reads it as a mapping used as a key. Quote it: `'{{ name }}'`."
    DUPLICATE "PAL-D0012" "a key occurs twice in one mapping"
    "The last occurrence wins, as in kubectl, and the first is silently lost, which is seldom what its author meant. \
     Strict readers refuse such a document.\n\n\
     Delete one of the two, or merge their contents."
    TAG "PAL-D0013" "a value does not fit its tag"
    "A tag such as `!!int` or `!!bool` says what its value must be read as, and this value cannot: `!!int many`. A tag \
     with an undeclared handle (`!e!name`) or a malformed one is reported here too.\n\n\
     Correct the value or delete the tag. Text needs no tag: `!!str` or quotes keep it a string."
    MERGE "PAL-D0014" "a merge key does not name a mapping"
    "`<<` copies the members of another mapping, or of a list of mappings, into this one: `<<: *defaults`.\n\n\
     Give it an alias to a mapping. A key that really is called `<<` needs quotes."
    NUMBER "PAL-D0015" "a number cannot be written in JSON"
    "Infinity and not-a-number (`.inf`, `.nan`) exist in YAML but not in JSON, which is what Kubernetes stores, so the \
     API server refuses them. JSON also refuses leading zeros, a leading `+`, and a bare `.`.\n\n\
     Use a finite number, or quote the text."
    TEMPLATE "PAL-D0016" "the file is a template, not a document"
    "`{{ ... }}` is filled in by Helm or another template engine; before that the file is not YAML, and what it will \
     become cannot be judged.\n\n\
     Render it first and check the result: `helm template ./chart | palisade check -`. In a Kyverno policy, a variable \
     that is a whole value needs quotes: `name: '{{ request.object.metadata.name }}'`."
    DIRECTIVE "PAL-D0017" "a directive is wrong"
    "Lines that start with `%` before a `---` are directives. Only `%YAML 1.x` and `%TAG` exist, and a `---` line must \
     follow them.\n\n\
     Delete the line, or quote the value if `%` is the beginning of a text."
    JSON "PAL-D0018" "the file is not valid JSON"
    "JSON is read strictly as RFC 8259 defines it: double quotes around keys and strings, no comments, no comma after \
     the last element, nothing after the document.\n\n\
     Correct the place shown. A file with comments or trailing commas can be kept as YAML, which accepts both."
    COLON "PAL-D0020" "a `:` stands where no mapping can begin"
    "A colon followed by a space separates a key from its value. Inside a plain text, or a second time on one line, it \
     has no meaning: `message: error: not found`.\n\n\
     Quote the text: `message: 'error: not found'`. Where a mapping is meant, put it on its own, deeper indented line."
    TOML "PAL-D0021" "the file is not valid TOML"
    "TOML is read as its version 1.1 defines it: `key = value` lines below `[table]` headers, strings in quotes, no key and no \
     table twice.\n\n\
     Correct the place shown."
    NAME "PAL-D0022" "a name is no text"
    "YAML reads the words `y`, `n`, `yes`, `no`, `on` and `off` as booleans, and digits as numbers. The API server refuses an \
     object whose name or namespace is one, and no rule finds it under that name.\n\n\
     Quote it: `namespace: \"off\"`."
    NO_KIND "PAL-D0023" "an item of a list names no kind"
    "The items of a `kind: List` are objects of any kind, each with `apiVersion` and `kind`. An item without them is no object \
     that a cluster takes, and no rule about objects reads it. Items of a typed list (`PodList`) take both from the list.\n\n\
     Give the item `apiVersion` and `kind`."
    UNTYPED "PAL-D0024" "a document lacks what would make it an object"
    "A document has parts of an object (`metadata`, `spec`, one of `apiVersion` and `kind`) and not both `apiVersion` and `kind` as \
     text, or is a list whose `items` are none. A cluster refuses it, and no rule about objects reads it.\n\n\
     Add what is missing: `apiVersion: v1`, `kind: Pod`. Keys are written exactly so."
}

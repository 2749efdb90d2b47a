//! The table of this crate's diagnostic codes, with the words that `palisade explain CODE` prints.

palisade_model::codes! {
    FILE "PAL-P0001" "a file cannot be read"
    "The file was named on the command line, by a policy test or by the configuration, and the operating system refused \
     to open or read it. What it holds is unknown, so the run ends with exit code 2.\n\n\
     Check the path (paths are relative to the working directory, those of a test to the test file) and the permissions."
    PATH "PAL-D0019" "a path cannot be read"
    "The path does not exist, is not readable by this user, or could not be listed. A check that silently left it out \
     would claim more than it looked at.\n\n\
     Correct the path or its permissions, or exclude it with `.palisadeignore`."
}

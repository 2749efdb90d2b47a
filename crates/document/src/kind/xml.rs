//! XML: build files of Maven and .NET, configuration, reports.
//!
//! Text: elements and attributes have no one form as values. Absent: elements.

use super::{Form, Kind, Name};

/// See the module.
#[derive(Debug)]
pub(super) struct Xml;

impl Kind for Xml {
    fn id(&self) -> &'static str {
        "xml"
    }

    fn summary(&self) -> &'static str {
        "XML, as text"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["xml", "xsd", "xsl", "xslt", "csproj", "vbproj", "fsproj"])
    }

    fn form(&self) -> Form {
        Form::Text
    }
}

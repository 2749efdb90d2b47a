# METADATA
# title: Services survive the loss of a node
# description: Written for Conftest before the shop used Palisade; it runs as it is.
package shop.availability

import rego.v1

# METADATA
# title: orders never stop
# custom:
#   severity: medium
#   remediation: set replicas to 2 or more, and spread them over nodes
#   controls: ["nist-800-53:CP-10"]
deny_single_replica contains msg if {
	input.kind == "Deployment"
	input.metadata.namespace in data.shop.critical_namespaces
	input.spec.replicas < 2
	msg := sprintf("%s takes orders, but one lost node stops it", [input.metadata.name])
}

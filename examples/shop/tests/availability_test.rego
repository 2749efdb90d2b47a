package shop.availability_test

import rego.v1

import data.shop.availability

deployment(namespace, replicas) := {
	"kind": "Deployment",
	"metadata": {"name": "orders", "namespace": namespace},
	"spec": {"replicas": replicas},
}

test_one_replica_of_a_critical_service_is_denied if {
	count(availability.deny_single_replica) == 1 with input as deployment("shop-orders", 1)
}

test_others_pass[note] if {
	some note, example in {
		"two replicas": deployment("shop-orders", 2),
		"another namespace": deployment("shop-front", 1),
	}
	count(availability.deny_single_replica) == 0 with input as example
}

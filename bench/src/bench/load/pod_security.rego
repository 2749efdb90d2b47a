# The controls of the Pod Security Standards, baseline and restricted, over a review: what the pack judges, for OPA.
package system

import rego.v1

main := {
	"apiVersion": "admission.k8s.io/v1",
	"kind": "AdmissionReview",
	"response": {"uid": input.request.uid, "allowed": count(deny) == 0, "status": {"message": concat("; ", deny)}},
}

spec := input.request.object.spec

containers contains container if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some container in spec[list]
}

deny contains sprintf("the pod sets %s", [field]) if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	spec[field] == true
}

deny contains sprintf("volume %s is of a type that is not allowed", [volume.name]) if {
	some volume in spec.volumes
	some type in object.keys(volume)
	type != "name"
	not type in {
		"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
	}
}

deny contains sprintf("sysctl %s is not safe", [sysctl.name]) if {
	some sysctl in spec.securityContext.sysctls
	not sysctl.name in {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ping_group_range"}
}

deny contains sprintf("container %s is privileged", [container.name]) if {
	some container in containers
	container.securityContext.privileged == true
}

deny contains sprintf("container %s may escalate its privileges", [container.name]) if {
	some container in containers
	object.get(container, ["securityContext", "allowPrivilegeEscalation"], true) != false
}

deny contains sprintf("container %s does not drop all capabilities", [container.name]) if {
	some container in containers
	not "ALL" in object.get(container, ["securityContext", "capabilities", "drop"], [])
}

deny contains sprintf("container %s adds %s", [container.name, capability]) if {
	some container in containers
	some capability in container.securityContext.capabilities.add
	capability != "NET_BIND_SERVICE"
}

deny contains sprintf("container %s uses port %d of the host", [container.name, port.hostPort]) if {
	some container in containers
	some port in container.ports
	object.get(port, "hostPort", 0) != 0
}

deny contains sprintf("container %s may run as root", [container.name]) if {
	some container in containers
	pod := object.get(spec, ["securityContext", "runAsNonRoot"], false)
	object.get(container, ["securityContext", "runAsNonRoot"], pod) != true
}

deny contains sprintf("container %s runs as user 0", [container.name]) if {
	some container in containers
	container.securityContext.runAsUser == 0
}

deny contains sprintf("container %s has no seccomp profile", [container.name]) if {
	some container in containers
	pod := object.get(spec, ["securityContext", "seccompProfile", "type"], "")
	not object.get(container, ["securityContext", "seccompProfile", "type"], pod) in {"RuntimeDefault", "Localhost"}
}

deny contains sprintf("container %s unmasks /proc", [container.name]) if {
	some container in containers
	object.get(container, ["securityContext", "procMount"], "Default") != "Default"
}

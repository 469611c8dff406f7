module tendon.dev/examples

go 1.24.0

require tendon.dev/redis v0.0.0

replace tendon.dev/redis => ../../bindings/go

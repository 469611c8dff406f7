module tendon.dev/redis

go 1.24.0

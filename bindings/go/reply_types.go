package redis

// Types of replies whose form fits no row of spec/surface/go.txt.

// Z is a member of a sorted set. Its Member is a string in replies.
type Z struct {
	Score  float64
	Member interface{}
}

// ZWithKey is a member of the sorted set Key.
type ZWithKey struct {
	Z
	Key string
}

// XMessage is an entry of a stream; its values are strings in replies. The last two fields are
// filled by XREADGROUP with CLAIM only.
type XMessage struct {
	ID                        string
	Values                    map[string]interface{}
	MillisElapsedFromDelivery int64
	DeliveredCount            int64
}

// GeoLocation is a place; replies fill what was asked.
type GeoLocation struct {
	Name                      string
	Longitude, Latitude, Dist float64
	GeoHash                   int64
}

// ClusterNode is a node of a range of slots.
type ClusterNode struct {
	ID                 string
	Addr               string
	NetworkingMetadata map[string]string
}

// ClusterSlot is a range of slots and its nodes, the primary first.
type ClusterSlot struct {
	Start int
	End   int
	Nodes []ClusterNode
}

// ClusterShard is a shard of a cluster.
type ClusterShard struct {
	Slots []SlotRange
	Nodes []Node
}

// CommandInfo is what a server says of one of its commands.
type CommandInfo struct {
	Name        string
	Arity       int8
	Flags       []string
	ACLFlags    []string
	FirstKeyPos int8
	LastKeyPos  int8
	StepCount   int8
	ReadOnly    bool
}

// FunctionStats is the function that runs, and the engines of functions.
type FunctionStats struct {
	Engines   []Engine
	isRunning bool
	rs        RunningScript
	allrs     []RunningScript
}

// Running says whether a function runs.
func (s *FunctionStats) Running() bool { return s.isRunning }

// RunningScript is the function that runs, if there is one.
func (s *FunctionStats) RunningScript() (RunningScript, bool) { return s.rs, s.isRunning }

// AllRunningScripts are all functions that run, of servers that say so.
func (s *FunctionStats) AllRunningScripts() []RunningScript { return s.allrs }

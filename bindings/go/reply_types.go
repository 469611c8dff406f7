package redis

// Types of replies whose form fits no row of spec/surface/go.txt.

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

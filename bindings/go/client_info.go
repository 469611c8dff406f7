package redis

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"tendon.dev/redis/internal/core"
)

// ClientFlags say in which states a connection is, as the server sees it.
type ClientFlags uint64

// The values of ClientFlags. Servers show only some of them.
const (
	ClientSlave               ClientFlags = 1 << 0
	ClientMaster              ClientFlags = 1 << 1
	ClientMonitor             ClientFlags = 1 << 2
	ClientMulti               ClientFlags = 1 << 3
	ClientBlocked             ClientFlags = 1 << 4
	ClientDirtyCAS            ClientFlags = 1 << 5
	ClientCloseAfterReply     ClientFlags = 1 << 6
	ClientUnBlocked           ClientFlags = 1 << 7
	ClientScript              ClientFlags = 1 << 8
	ClientAsking              ClientFlags = 1 << 9
	ClientCloseASAP           ClientFlags = 1 << 10
	ClientUnixSocket          ClientFlags = 1 << 11
	ClientDirtyExec           ClientFlags = 1 << 12
	ClientMasterForceReply    ClientFlags = 1 << 13
	ClientForceAOF            ClientFlags = 1 << 14
	ClientForceRepl           ClientFlags = 1 << 15
	ClientPrePSync            ClientFlags = 1 << 16
	ClientReadOnly            ClientFlags = 1 << 17
	ClientPubSub              ClientFlags = 1 << 18
	ClientPreventAOFProp      ClientFlags = 1 << 19
	ClientPreventReplProp     ClientFlags = 1 << 20
	ClientPreventProp         ClientFlags = ClientPreventAOFProp | ClientPreventReplProp
	ClientPendingWrite        ClientFlags = 1 << 21
	ClientReplyOff            ClientFlags = 1 << 22
	ClientReplySkipNext       ClientFlags = 1 << 23
	ClientReplySkip           ClientFlags = 1 << 24
	ClientLuaDebug            ClientFlags = 1 << 25
	ClientLuaDebugSync        ClientFlags = 1 << 26
	ClientModule              ClientFlags = 1 << 27
	ClientProtected           ClientFlags = 1 << 28
	ClientExecutingCommand    ClientFlags = 1 << 29
	ClientPendingCommand      ClientFlags = 1 << 30
	ClientTracking            ClientFlags = 1 << 31
	ClientTrackingBrokenRedir ClientFlags = 1 << 32
	ClientTrackingBCAST       ClientFlags = 1 << 33
	ClientTrackingOptIn       ClientFlags = 1 << 34
	ClientTrackingOptOut      ClientFlags = 1 << 35
	ClientTrackingCaching     ClientFlags = 1 << 36
	ClientTrackingNoLoop      ClientFlags = 1 << 37
	ClientInTimeoutTable      ClientFlags = 1 << 38
	ClientProtocolError       ClientFlags = 1 << 39
	ClientCloseAfterCommand   ClientFlags = 1 << 40
	ClientDenyBlocking        ClientFlags = 1 << 41
	ClientReplRDBOnly         ClientFlags = 1 << 42
	ClientNoEvict             ClientFlags = 1 << 43
	ClientAllowOOM            ClientFlags = 1 << 44
	ClientNoTouch             ClientFlags = 1 << 45
	ClientPushing             ClientFlags = 1 << 46
)

// clientFlags are the letters of CLIENT LIST.
var clientFlags = map[rune]ClientFlags{
	'S': ClientSlave, 'O': ClientSlave | ClientMonitor, 'M': ClientMaster, 'P': ClientPubSub,
	'x': ClientMulti, 'b': ClientBlocked, 't': ClientTracking, 'R': ClientTrackingBrokenRedir,
	'B': ClientTrackingBCAST, 'd': ClientDirtyCAS, 'c': ClientCloseAfterReply,
	'u': ClientUnBlocked, 'A': ClientCloseASAP, 'U': ClientUnixSocket, 'r': ClientReadOnly,
	'e': ClientNoEvict, 'T': ClientNoTouch, 'N': 0,
}

// ClientInfo is a connection as the server sees it. The comments are the names in CLIENT LIST.
type ClientInfo struct {
	ID                 int64         // id
	Addr               string        // addr
	LAddr              string        // laddr
	FD                 int64         // fd
	Name               string        // name
	Age                time.Duration // age
	Idle               time.Duration // idle
	Flags              ClientFlags   // flags
	DB                 int           // db
	Sub                int           // sub: channels subscribed
	PSub               int           // psub: patterns subscribed
	SSub               int           // ssub: shard channels subscribed
	Multi              int           // multi: commands of a transaction
	Watch              int           // watch: watched keys
	QueryBuf           int           // qbuf
	QueryBufFree       int           // qbuf-free
	ArgvMem            int           // argv-mem
	MultiMem           int           // multi-mem
	BufferSize         int           // rbs
	BufferPeak         int           // rbp
	OutputBufferLength int           // obl
	OutputListLength   int           // oll
	OutputMemory       int           // omem
	TotalMemory        int           // tot-mem
	TotalNetIn         int           // tot-net-in
	TotalNetOut        int           // tot-net-out
	TotalCmds          int           // tot-cmds
	IoThread           int           // io-thread
	Events             string        // events
	LastCmd            string        // cmd
	User               string        // user
	Redir              int64         // redir
	Resp               int           // resp
	LibName            string        // lib-name
	LibVer             string        // lib-ver
	ReadEvents         uint64        // read-events
	AvgPipelineLenSum  uint64        // avg-pipeline-len-sum
	AvgPipelineLenCnt  uint64        // avg-pipeline-len-cnt
}

// clientFields are the places of the fields above by their names in CLIENT LIST.
var clientFields = func() map[string]int {
	names := strings.Fields(`id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf
		qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem tot-net-in tot-net-out tot-cmds
		io-thread events cmd user redir resp lib-name lib-ver read-events avg-pipeline-len-sum
		avg-pipeline-len-cnt`)
	places := make(map[string]int, len(names))
	for place, name := range names {
		places[name] = place
	}
	return places
}()

// decodeClientInfo reads a line of CLIENT LIST. Names it does not know are left out: newer servers
// have more.
func decodeClientInfo(tape core.Tape, i int) (v ClientInfo, err error) {
	text, err := decodeText(tape, i)
	if err != nil {
		return v, err
	}
	fields := reflect.ValueOf(&v).Elem()
	for _, word := range strings.Fields(text) {
		name, value, ok := strings.Cut(word, "=")
		place, known := clientFields[name]
		if !ok || !known {
			continue
		}
		if err := setClientField(fields.Field(place), value); err != nil {
			return v, fmt.Errorf("redis: field %s of a client: %w", name, err)
		}
	}
	return v, nil
}

func setClientField(field reflect.Value, value string) error {
	switch field.Interface().(type) {
	case ClientFlags:
		flags := uint64(0)
		for _, letter := range value {
			flags |= uint64(clientFlags[letter])
		}
		field.SetUint(flags)
		return nil
	case time.Duration:
		seconds, err := strconv.ParseInt(value, 10, 64)
		field.SetInt(seconds * int64(time.Second))
		return err
	}
	return scanValue(value, field)
}

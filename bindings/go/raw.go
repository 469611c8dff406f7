package redis

import (
	"strconv"

	"tendon.dev/redis/internal/core"
)

// respMarks are the first bytes of the forms of RESP3.
var respMarks = map[uint8]byte{
	core.NodeStatus: '+', core.NodeError: '-', core.NodeInteger: ':', core.NodeString: '$',
	core.NodeArray: '*', core.NodeDouble: ',', core.NodeBoolean: '#', core.NodeBigNumber: '(',
	core.NodeVerbatim: '$', core.NodeMap: '%', core.NodeSet: '~', core.NodePush: '>',
	core.NodeNull: '_',
}

// appendRESP spells a reply as RESP3 does, for programs that hand replies on. libtendon has decoded
// it by then, so a verbatim string has become a plain one.
func appendRESP(to []byte, tape core.Tape, i int) []byte {
	to = append(appendLine(to, tape, i), "\r\n"...)
	switch {
	case tape.Type(i) == core.NodeString || tape.Type(i) == core.NodeVerbatim:
		to = append(tape.AppendText(to, i), "\r\n"...)
	case tape.IsAggregate(i):
		end := tape.Next(i)
		for at := i + 1; at < end; at = tape.Next(at) {
			to = appendRESP(to, tape, at)
		}
	}
	return to
}

// appendLine spells the first line of a reply without its end: the type, and the value or the size.
func appendLine(to []byte, tape core.Tape, i int) []byte {
	to = append(to, respMarks[tape.Type(i)])
	switch tape.Type(i) {
	case core.NodeNull:
		return to
	case core.NodeStatus, core.NodeError, core.NodeBigNumber:
		return tape.AppendText(to, i)
	case core.NodeInteger:
		return strconv.AppendInt(to, tape.Int(i), 10)
	case core.NodeDouble:
		return strconv.AppendFloat(to, tape.Float(i), 'g', -1, 64)
	case core.NodeBoolean:
		return append(to, "ft"[tape.Int(i)&1])
	case core.NodeMap:
		return strconv.AppendInt(to, int64(tape.Size(i)/2), 10)
	}
	return strconv.AppendInt(to, int64(tape.Size(i)), 10)
}

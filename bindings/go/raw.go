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
}

// appendRESP spells a reply as RESP3 does, for programs that hand replies on. libtendon has decoded
// it by then, so a verbatim string has become a plain one.
func appendRESP(to []byte, tape core.Tape, i int) []byte {
	kind := tape.Type(i)
	if kind == core.NodeNull {
		return append(to, "_\r\n"...)
	}
	to = append(to, respMarks[kind])
	switch kind {
	case core.NodeString, core.NodeVerbatim:
		to = append(strconv.AppendInt(to, int64(tape.Size(i)), 10), "\r\n"...)
		to = tape.AppendText(to, i)
	case core.NodeStatus, core.NodeError, core.NodeBigNumber:
		to = tape.AppendText(to, i)
	case core.NodeInteger:
		to = strconv.AppendInt(to, tape.Int(i), 10)
	case core.NodeDouble:
		to = strconv.AppendFloat(to, tape.Float(i), 'g', -1, 64)
	case core.NodeBoolean:
		to = append(to, "ft"[tape.Int(i)&1])
	default:
		return appendChildren(to, tape, i)
	}
	return append(to, "\r\n"...)
}

func appendChildren(to []byte, tape core.Tape, i int) []byte {
	count := tape.Size(i)
	if tape.Type(i) == core.NodeMap {
		count /= 2
	}
	to = append(strconv.AppendInt(to, int64(count), 10), "\r\n"...)
	end := tape.Next(i)
	for at := i + 1; at < end; at = tape.Next(at) {
		to = appendRESP(to, tape, at)
	}
	return to
}

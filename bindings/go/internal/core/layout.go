package core

/*
#include "bridge.h"
*/
import "C"

import "unsafe"

// The compiler refuses these lines when Node and tendon_node differ in size or place of a field.
var (
	_ = [1]byte{}[unsafe.Sizeof(Node{})-C.sizeof_tendon_node]
	_ = [1]byte{}[unsafe.Offsetof(Node{}.Size)-unsafe.Offsetof(C.tendon_node{}.size)]
	_ = [1]byte{}[unsafe.Offsetof(Node{}.Bits)-unsafe.Offsetof(C.tendon_node{}.value)]
	_ = [1]byte{}[NodeNull-C.TENDON_NODE_NULL+NodePush-C.TENDON_NODE_PUSH]
	_ = [1]byte{}[NodeError-C.TENDON_NODE_ERROR+NodeVerbatim-C.TENDON_NODE_VERBATIM]
)

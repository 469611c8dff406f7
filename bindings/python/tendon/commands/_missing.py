"""
Names of redis-py's that have no method here yet: asking for one tells what to do instead.

Descriptors, because a class with ``__getattr__`` makes every other attribute slower.
"""

from __future__ import annotations

from typing import Any

_TEXT = (
    "'{}' object has no attribute '{}'; execute_command('{}', ...) runs a command that has no "
    "method yet (what is missing: bindings/python/DIFFERENCES.md)"
)

# fmt: off
_NAMES = """
acl_cat acl_deluser acl_dryrun acl_genpass acl_getuser acl_help acl_list acl_load acl_log
acl_log_reset acl_save acl_setuser acl_users acl_whoami arcount ardel ardelrange arget
argetrange argrep arinfo arinsert arlastitems arlen armget armset arnext arop arring arscan
arseek arset auth bf bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blmove
blmovem blmpop brpoplpush bzmpop bzpopmax bzpopmin cf client_getredir client_info client_kill
client_kill_filter client_no_evict client_no_touch client_pause client_reply client_setinfo
client_setname client_tracking client_tracking_off client_tracking_on client_trackinginfo
client_unblock client_unpause cluster cms command command_count command_docs command_getkeys
command_getkeysandflags command_info command_list config_resetstat config_rewrite debug_object
debug_segfault delex digest digest_local eval_ro evalsha_ro expiretime failover fcall fcall_ro
ft function_delete function_dump function_flush function_kill function_list function_load
function_restore function_stats geoadd geodist geohash geopos georadius georadiusbymember
geosearch geosearchstore getbit hello hexpire hexpireat hexpiretime hgetdel hgetex
himport_discard himport_discard_all himport_prepare himport_set hmset hotkeys_get hotkeys_reset
hotkeys_start hotkeys_stop hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hsetex
hstrlen httl increx json keyspace_notifications lastsave latency_doctor latency_graph
latency_histogram latency_history latency_latest latency_reset lcs linsert lmove lmovem lmpop
lock lolwut lpos lpushx memory_doctor memory_help memory_malloc_stats memory_purge memory_stats
memory_usage migrate module_list module_load module_loadex module_unload monitor move msetex
object pexpireat pexpiretime pfadd pfcount pfmerge psync pubsub pubsub_channels pubsub_numpat
pubsub_numsub pubsub_shardchannels pubsub_shardnumsub quit readonly readwrite register_script
replicaof reset restore role rpoplpush rpushx save script_debug script_exists script_flush
script_kill sdiff sdiffcard sdiffstore select sentinel sentinel_ckquorum sentinel_failover
sentinel_flushconfig sentinel_get_master_addr_by_name sentinel_master sentinel_masters
sentinel_monitor sentinel_remove sentinel_reset sentinel_sentinels sentinel_set sentinel_slaves
setbit shutdown sinter sintercard sinterstore slaveof slowlog_get slowlog_len slowlog_reset
smismember smove sort sort_ro spublish srandmember stralgo substr sunion sunioncard sunionstore
swapdb sync tdigest topk ts unwatch vset waitaof watch xack xackdel xadd xautoclaim xcfgset
xclaim xdel xdelex xgroup_create xgroup_createconsumer xgroup_delconsumer xgroup_destroy
xgroup_setid xinfo_consumers xinfo_groups xinfo_stream xlen xnack xpending xpending_range xrange
xread xreadgroup xrevrange xtrim zdiff zdiffstore zinter zintercard zinterstore zlexcount zmpop
zmscore zpopmax zpopmin zrandmember zrangebylex zrangestore zremrangebylex zremrangebyrank
zremrangebyscore zrevrangebylex zrevrangebyscore zrevrank zunion zunionstore
"""
# fmt: on


class Missing:
    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        # The class is asked by tools that look at everything it has.
        name = (owner if instance is None else type(instance)).__name__
        raise AttributeError(_TEXT.format(name, self._name, self._name.upper()))


def mark_missing(owner: Any) -> None:
    """Puts a Missing where the class has no method of that name."""
    for name in _NAMES.split():
        if not hasattr(owner, name):
            missing = Missing()
            missing.__set_name__(owner, name)
            setattr(owner, name, missing)

package io.tendon.jedis;

/** A Pipeline of a cluster: every command goes to the node of its key, redirects are followed. */
public class ClusterPipeline extends Pipeline {
    ClusterPipeline(Core core, CommandKeyArgumentPreProcessor keys) {
        super(core, null, keys);
    }
}

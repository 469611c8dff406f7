package io.tendon.jedis;

/** A pipeline of a cluster: every command goes to the node of its key, redirects are followed. */
public class ClusterPipeline extends MultiNodePipelineBase {
    ClusterPipeline(Core core, CommandKeyArgumentPreProcessor keys) {
        super(core, keys);
    }
}

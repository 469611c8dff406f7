package io.tendon.jedis;

/** A pipeline whose commands go to several servers at once. */
public abstract class MultiNodePipelineBase extends AbstractPipeline {
    /** Has no effect: the core sends to all nodes at once, without threads of the program. */
    public static volatile int MULTI_NODE_PIPELINE_SYNC_WORKERS = 3;

    MultiNodePipelineBase(Core core, CommandKeyArgumentPreProcessor keys) {
        super(core, null, keys);
    }
}

package conformance;

/** What takes commands: a client, a lease, a watch, a pipeline or a transaction. */
interface Commands {
    Object command(Words words) throws Exception;

    Object method(String name, Words words) throws Exception;
}

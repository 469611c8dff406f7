/* Replies of RESP2 in the form that the table gives their command. */
#include <criterion/criterion.h>

#include "client/command.h"
#include "counting_memory.h"
#include "resp/decoder.h"
#include "resp/form.h"
#include "tape_text.h"

#define ARGS_MAX 16

struct formed {
    struct counting_memory memory;
    struct tendon__decoder decoder;
    uint8_t bytes[1024];
    tendon_node nodes[512];
    uint32_t count;
    struct tape_text text;
};

static void decode(struct formed *f, const char *wire)
{
    static const struct tendon__decode_limits limits = {
        .bytes_max = 4096, .nodes_max = 300, .depth_max = 200};
    memset(f, 0, sizeof *f);
    f->memory = counting_memory_make();
    tendon__decoder_init(&f->decoder, &limits, &f->memory.memory);
    size_t size = strlen(wire);
    cr_assert_lt(size, sizeof f->bytes);
    memcpy(f->bytes, wire, size);
    cr_assert_eq(tendon__decoder_feed(&f->decoder, f->bytes, size), TENDON__DECODE_DONE);
}

static struct tendon__tape tape_of(struct formed *f)
{
    return (struct tendon__tape){f->decoder.nodes, f->decoder.node_count, f->bytes};
}

static const char *text_of(struct formed *f)
{
    f->text.size = 0;
    tape_text_node(&f->text, f->nodes, f->count, f->bytes, 0);
    return f->text.text;
}

static uint32_t split(char *line, tendon_bytes *args)
{
    uint32_t count = 0;
    for (char *word = strtok(line, " "); word && count < ARGS_MAX; word = strtok(NULL, " "))
        args[count++] = (tendon_bytes){word, strlen(word)};
    return count;
}

static uint16_t form_of(const char *line)
{
    char words[256];
    tendon_bytes args[ARGS_MAX];
    struct tendon__command command;
    snprintf(words, sizeof words, "%s", line);
    uint32_t count = split(words, args);
    cr_assert(tendon__command_look(args, count, &command), "%s", line);
    return tendon__command_form(args, count, &command);
}

/* What `wire` becomes as the reply to `line`. */
static void becomes(const char *line, const char *wire, const char *want)
{
    struct formed f;
    decode(&f, wire);
    struct tendon__tape tape = tape_of(&f);
    cr_assert_leq(tendon__form_room(tape.node_count), sizeof f.nodes / sizeof f.nodes[0]);
    f.count = tendon__form_apply(form_of(line), &tape, f.bytes, f.nodes);
    cr_assert_leq(f.count, tendon__form_room(tape.node_count));
    cr_assert_str_eq(text_of(&f), want, "%s: %s instead of %s", line, f.text.text, want);
    tendon__decoder_deinit(&f.decoder);
    cr_assert_eq(f.memory.blocks, 0);
}

Test(form, most_commands_have_none)
{
    cr_assert_eq(form_of("GET k"), 0);
    cr_assert_eq(form_of("MGET k"), 0);
    cr_assert_eq(form_of("XRANGE k - +"), 0);
    cr_assert_eq(form_of("ZSCAN k 0"), 0);
}

Test(form, pairs_become_maps)
{
    becomes("HGETALL k", "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n", "%4[$a $1 $b $2]");
    becomes("HGETALL k", "*0\r\n", "%0[]");
    becomes("CONFIG GET x", "*2\r\n$1\r\na\r\n$0\r\n\r\n", "%2[$a $]");
}

Test(form, what_is_not_expected_stays)
{
    becomes("HGETALL k", "*3\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n", "*3[$a $1 $b]");
    becomes("HGETALL k", "$1\r\na\r\n", "$a");
    becomes("HGETALL k", "-WRONGTYPE no\r\n", "-WRONGTYPE no");
    becomes("HGETALL k", "*2\r\n*1\r\n:1\r\n:2\r\n", "*2[*1[:1] :2]");
    becomes("ZSCORE k m", "$3\r\nx.y\r\n", "$x.y");
    becomes("ZSCORE k m", "$-1\r\n", "_");
    becomes("ZSCORE k m", ":3\r\n", ":3");
    becomes("SMEMBERS k", "%1\r\n:1\r\n:2\r\n", "%2[:1 :2]");
    becomes("GEOSEARCH k WITHCOORD x x x WITHCOORD", "~1\r\n:1\r\n", "~1[:1]");
}

Test(form, maps_of_resp3_stay_and_their_values_are_formed)
{
    becomes("MEMORY STATS", "%2\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n:1\r\n",
            "%4[$a ,1.5 $b %2[$c :1]]");
}

Test(form, arrays_become_sets)
{
    becomes("SMEMBERS k", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2[$a $b]");
    becomes("SPOP k 2", "*1\r\n$1\r\na\r\n", "~1[$a]");
    becomes("SPOP k", "$1\r\na\r\n", "$a");
    becomes("SRANDMEMBER k 2", "*1\r\n$1\r\na\r\n", "*1[$a]");
}

Test(form, texts_become_doubles)
{
    becomes("ZSCORE k m", "$3\r\n2.5\r\n", ",2.5");
    becomes("ZSCORE k m", "$4\r\n-inf\r\n", ",-inf");
    becomes("ZINCRBY k 1 m", "$2\r\n10\r\n", ",10");
    becomes("ZADD k INCR 1 m", "$2\r\n10\r\n", ",10");
    becomes("ZADD k 1 m", ":1\r\n", ":1");
    becomes("ZMSCORE k a b", "*2\r\n$1\r\n1\r\n$-1\r\n", "*2[,1 _]");
    becomes("GEOPOS k a b", "*2\r\n*2\r\n$3\r\n1.5\r\n$1\r\n2\r\n*-1\r\n", "*2[*2[,1.5 ,2] _*]");
    becomes("GEOPOS k a b", "*2\r\n*-1\r\n*-1\r\n", "*2[_* _*]");
    becomes("HINCRBYFLOAT k f 1", "$3\r\n1.5\r\n", "$1.5");
}

Test(form, scores_pair_up_where_they_were_asked_for)
{
    const char *flat = "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n";
    becomes("ZRANGE k 0 -1 WITHSCORES", flat, "*2[*2[$a ,1] *2[$b ,2.5]]");
    becomes("zrange k 0 -1 rev withscores", flat, "*2[*2[$a ,1] *2[$b ,2.5]]");
    becomes("ZRANGE k 0 -1", flat, "*4[$a $1 $b $2.5]");
    becomes("ZRANGE k 0 -1 WITHSCORES", "*0\r\n", "*0[]");
    becomes("ZRANGE k 0 -1 WITHSCORES", "*3\r\n:1\r\n:2\r\n:3\r\n", "*3[:1 :2 :3]");
    becomes("ZRANGE k 0 -1 WITHSCORES", "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n", "*1[*2[$a ,1]]");
    becomes("ZRANGE k 0 -1 WITHSCORES", "*2\r\n:1\r\n*0\r\n", "*2[:1 *0[]]");
    becomes("HRANDFIELD k 2 WITHVALUES", "*2\r\n$1\r\na\r\n$1\r\n1\r\n", "*1[*2[$a $1]]");
    becomes("ZPOPMIN k", "*2\r\n$1\r\na\r\n$1\r\n1\r\n", "*2[$a ,1]");
    becomes("ZPOPMIN k", "*0\r\n", "*0[]");
    becomes("ZPOPMIN k 1", "*2\r\n$1\r\na\r\n$1\r\n1\r\n", "*1[*2[$a ,1]]");
    becomes("ZMPOP 1 k MIN", "*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            "*2[$k *1[*2[$a ,1]]]");
}

/* The last key may be called like the option. */
Test(form, a_key_is_no_option)
{
    const char *flat = "*2\r\n$1\r\na\r\n$1\r\n1\r\n";
    becomes("ZUNION 1 WITHSCORES", flat, "*2[$a $1]");
    becomes("ZUNION 1 k WITHSCORES", flat, "*1[*2[$a ,1]]");
    becomes("ZUNION 2 k WITHSCORES WITHSCORES", flat, "*1[*2[$a ,1]]");
    becomes("ZDIFF 3 k WITHSCORES", flat, "*1[*2[$a ,1]]"); /* the server refuses it anyway */
}

Test(form, streams_by_key)
{
    becomes("XREAD STREAMS a b 0 0",
            "*2\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
            "*2\r\n$1\r\nb\r\n*0\r\n",
            "%4[$a *1[*2[$1-1 *2[$f $v]]] $b *0[]]");
    becomes("XREAD STREAMS a 0", "*-1\r\n", "_*");
    becomes("XREAD STREAMS a 0", "*1\r\n*1\r\n:1\r\n", "*1[*1[:1]]");
}

Test(form, maps_within)
{
    becomes("XINFO STREAM k FULL",
            "*4\r\n$6\r\nlength\r\n:1\r\n$6\r\ngroups\r\n*1\r\n*4\r\n$4\r\nname\r\n$1\r\ng\r\n"
            "$9\r\nconsumers\r\n*1\r\n*2\r\n$4\r\nname\r\n$1\r\nc\r\n",
            "%4[$length :1 $groups *1[%4[$name $g $consumers *1[%2[$name $c]]]]]");
    becomes(
        "COMMAND INFO x",
        "*1\r\n*10\r\n$1\r\nx\r\n:1\r\n*1\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*1\r\n*2\r\n"
        "$5\r\nflags\r\n*1\r\n+RO\r\n*0\r\n",
        "*1[*10[$x :1 ~1[+fast] :1 :1 :1 ~0[] ~0[] ~1[%2[$flags ~1[+RO]]] ~0[]]]");
    becomes("GEOSEARCH k x x x x x x WITHCOORD WITHDIST",
            "*1\r\n*3\r\n$1\r\na\r\n$3\r\n0.5\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n",
            "*1[*3[$a $0.5 *2[,1 ,2]]]");
}

Test(form, text_becomes_verbatim_with_its_format)
{
    struct formed f;
    decode(&f, "$5\r\na:b\r\n\r\n");
    struct tendon__tape tape = tape_of(&f);
    f.count = tendon__form_apply(form_of("INFO"), &tape, f.bytes, f.nodes);
    cr_assert_eq(f.count, 1);
    cr_assert_eq(f.nodes[0].type, TENDON_NODE_VERBATIM);
    cr_assert_eq(f.nodes[0].size, 5);
    cr_assert_eq(memcmp(f.bytes + f.nodes[0].value.offset - 4, "txt:a:b\r\n", 9), 0);
    tendon__decoder_deinit(&f.decoder);
    becomes("INFO", "$0\r\n\r\n", "=");
    becomes("INFO", "+\r\n", "+");
}

Test(form, what_is_nested_too_deep_stays)
{
    char wire[1024] = "";
    for (int i = 0; i < 100; i++)
        strcat(wire, "*2\r\n+s\r\n");
    strcat(wire, ":1\r\n");
    struct formed f;
    decode(&f, wire);
    struct tendon__tape tape = tape_of(&f);
    f.count = tendon__form_apply(form_of("COMMAND DOCS"), &tape, f.bytes, f.nodes);
    cr_assert_eq(f.count, tape.node_count);
    tendon__decoder_deinit(&f.decoder);
}

Test(form, each_answer_of_exec_in_its_own)
{
    const uint16_t forms[] = {form_of("HGETALL k"), 0, form_of("ZSCORE k m")};
    struct formed f;
    decode(&f, "*3\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n:1\r\n:2\r\n$1\r\n7\r\n");
    struct tendon__tape tape = tape_of(&f);
    f.count = tendon__form_apply_each(forms, 3, &tape, f.bytes, f.nodes);
    cr_assert_str_eq(text_of(&f), "*3[%2[$a $1] *2[:1 :2] ,7]");
    /* Another number of answers than commands: which is which is not known. */
    f.count = tendon__form_apply_each(forms, 2, &tape, f.bytes, f.nodes);
    cr_assert_str_eq(text_of(&f), "*3[*2[$a $1] *2[:1 :2] $7]");
    tendon__decoder_deinit(&f.decoder);
}

/* hiredis and libvalkey by one set of names: they differ in prefixes only. */
#ifndef TENDON_BENCH_PEER_H
#define TENDON_BENCH_PEER_H

#ifdef PEER_LIBVALKEY
#include <valkey/tls.h>
#include <valkey/valkey.h>
#define PEER_NAME "libvalkey"
#define PEER_VERSION                                                                               \
    PEER_TEXT(LIBVALKEY_VERSION_MAJOR)                                                             \
    "." PEER_TEXT(LIBVALKEY_VERSION_MINOR) "." PEER_TEXT(LIBVALKEY_VERSION_PATCH)
typedef valkeyContext peer_context;
typedef valkeyReply peer_reply;
typedef valkeyReader peer_reader;
typedef valkeyTLSContext peer_tls;
#define PEER_STRING           VALKEY_REPLY_STRING
#define PEER_STATUS           VALKEY_REPLY_STATUS
#define PEER_ARRAY            VALKEY_REPLY_ARRAY
#define peer_connect          valkeyConnect
#define peer_connect_unix     valkeyConnectUnix
#define peer_free             valkeyFree
#define peer_command_argv     valkeyCommandArgv
#define peer_append_argv      valkeyAppendCommandArgv
#define peer_get_reply        valkeyGetReply
#define peer_free_reply       freeReplyObject
#define peer_format_argv      valkeyFormatCommandArgv
#define peer_free_command     valkeyFreeCommand
#define peer_reader_create    valkeyReaderCreate
#define peer_reader_feed      valkeyReaderFeed
#define peer_reader_get       valkeyReaderGetReply
#define peer_reader_free      valkeyReaderFree
#define peer_tls_init         valkeyInitOpenSSL
#define peer_tls_create(a, e) valkeyCreateTLSContext((a), NULL, NULL, NULL, NULL, (e))
#define peer_tls_error        valkeyTLSContextError
#define peer_tls_begin        valkeyInitiateTLSWithContext
#else
#include <hiredis.h>
#include <hiredis_ssl.h>
#define PEER_NAME "hiredis"
#define PEER_VERSION                                                                               \
    PEER_TEXT(HIREDIS_MAJOR) "." PEER_TEXT(HIREDIS_MINOR) "." PEER_TEXT(HIREDIS_PATCH)
typedef redisContext peer_context;
typedef redisReply peer_reply;
typedef redisReader peer_reader;
typedef redisSSLContext peer_tls;
#define PEER_STRING           REDIS_REPLY_STRING
#define PEER_STATUS           REDIS_REPLY_STATUS
#define PEER_ARRAY            REDIS_REPLY_ARRAY
#define peer_connect          redisConnect
#define peer_connect_unix     redisConnectUnix
#define peer_free             redisFree
#define peer_command_argv     redisCommandArgv
#define peer_append_argv      redisAppendCommandArgv
#define peer_get_reply        redisGetReply
#define peer_free_reply       freeReplyObject
#define peer_format_argv      redisFormatCommandArgv
#define peer_free_command     redisFreeCommand
#define peer_reader_create    redisReaderCreate
#define peer_reader_feed      redisReaderFeed
#define peer_reader_get       redisReaderGetReply
#define peer_reader_free      redisReaderFree
#define peer_tls_init         redisInitOpenSSL
#define peer_tls_create(a, e) redisCreateSSLContext((a), NULL, NULL, NULL, NULL, (e))
#define peer_tls_error        redisSSLContextGetError
#define peer_tls_begin        redisInitiateSSLWithContext
#endif

#define PEER_TEXT(value)  PEER_TEXT_(value)
#define PEER_TEXT_(value) #value

#endif

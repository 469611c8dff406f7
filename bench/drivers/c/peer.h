/* hiredis and libvalkey by one set of names: they differ in prefixes only. */
#ifndef TENDON_BENCH_PEER_H
#define TENDON_BENCH_PEER_H

#ifdef PEER_LIBVALKEY
#include <valkey/async.h>
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
typedef valkeyAsyncContext peer_async;
#define PEER_STRING           VALKEY_REPLY_STRING
#define PEER_STATUS           VALKEY_REPLY_STATUS
#define PEER_ARRAY            VALKEY_REPLY_ARRAY
#define PEER_INTEGER          VALKEY_REPLY_INTEGER
#define PEER_ERROR            VALKEY_REPLY_ERROR
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
#define peer_tls_begin_own    valkeyInitiateTLS
#define peer_async_connect    valkeyAsyncConnect
#define peer_async_unix       valkeyAsyncConnectUnix
#define peer_async_argv       valkeyAsyncCommandArgv
#define peer_async_read       valkeyAsyncHandleRead
#define peer_async_write      valkeyAsyncHandleWrite
#define peer_async_free       valkeyAsyncFree
#else
#include <async.h>
#include <hiredis.h>
#include <hiredis_ssl.h>
#define PEER_NAME "hiredis"
#define PEER_VERSION                                                                               \
    PEER_TEXT(HIREDIS_MAJOR) "." PEER_TEXT(HIREDIS_MINOR) "." PEER_TEXT(HIREDIS_PATCH)
typedef redisContext peer_context;
typedef redisReply peer_reply;
typedef redisReader peer_reader;
typedef redisSSLContext peer_tls;
typedef redisAsyncContext peer_async;
#define PEER_STRING           REDIS_REPLY_STRING
#define PEER_STATUS           REDIS_REPLY_STATUS
#define PEER_ARRAY            REDIS_REPLY_ARRAY
#define PEER_INTEGER          REDIS_REPLY_INTEGER
#define PEER_ERROR            REDIS_REPLY_ERROR
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
#define peer_tls_begin_own    redisInitiateSSL
#define peer_async_connect    redisAsyncConnect
#define peer_async_unix       redisAsyncConnectUnix
#define peer_async_argv       redisAsyncCommandArgv
#define peer_async_read       redisAsyncHandleRead
#define peer_async_write      redisAsyncHandleWrite
#define peer_async_free       redisAsyncFree
#endif

#define PEER_TEXT(value)  PEER_TEXT_(value)
#define PEER_TEXT_(value) #value

#endif

// Asks the handles of silenceper/wechat for an access_token, as its modules make them: over its Redis cache, with their
// own prefixes. Whatever they call goes nowhere, so a token can only come from the copy.
//
// Arguments: HOST:PORT of the Redis, then for each handle its kind (official, stable, mini, stable-mini, work) and its
// id (of work: CORPID/AGENTID). Prints a line each.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/credential"
)

const (
	secret   = "none"
	official = credential.CacheKeyOfficialAccountPrefix
	mini     = credential.CacheKeyMiniProgramPrefix
	work     = credential.CacheKeyWorkPrefix
)

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the platform was asked")
}

func main() {
	http.DefaultTransport = nowhere{}
	http.DefaultClient.Transport = nowhere{}
	redis := cache.NewRedis(context.Background(), &cache.RedisOpts{Host: os.Args[1]})
	for args := os.Args[2:]; len(args) >= 2; args = args[2:] {
		token, err := handle(redis, args[0], args[1]).GetAccessToken()
		if err != nil {
			token = "error: " + err.Error()
		}
		fmt.Println(token)
	}
}

func handle(redis cache.Cache, kind, id string) credential.AccessTokenHandle {
	switch kind {
	case "official":
		return credential.NewDefaultAccessToken(id, secret, official, redis)
	case "stable":
		return credential.NewStableAccessToken(id, secret, official, redis)
	case "mini":
		return credential.NewDefaultAccessToken(id, secret, mini, redis)
	case "stable-mini":
		return credential.NewStableAccessToken(id, secret, mini, redis)
	case "work":
		corp, agent, _ := strings.Cut(id, "/")
		return credential.NewWorkAccessToken(corp, secret, agent, work, redis)
	}
	panic("unknown kind " + kind)
}

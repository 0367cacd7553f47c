// The standard library's server and crypto, database/sql with its two usual drivers.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
)

type envelope struct {
	Encrypt string
}

type push struct {
	FromUserName string
	CreateTime   int64
	MsgType      string
	MsgId        string
	Event        string
	EventKey     string
}

type event struct {
	key, openid, kind, raw string
	scene                  *string
	time                   int64
}

var (
	token  = os.Getenv("RACE_TOKEN")
	appID  = os.Getenv("RACE_APP_ID")
	block  cipher.Block
	iv     []byte
	errBad = errors.New("refused")
)

func signature(parts ...string) string {
	sort.Strings(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func signed(query url.Values) bool {
	return same(signature(token, query.Get("timestamp"), query.Get("nonce")), query.Get("signature"))
}

func decrypt(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errBad
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || pad > len(data)-20 {
		return nil, errBad
	}
	data = data[:len(data)-pad]
	length := int(binary.BigEndian.Uint32(data[16:20]))
	if length > len(data)-20 || string(data[20+length:]) != appID {
		return nil, errBad
	}
	return data[20 : 20+length], nil
}

func open(query url.Values, body []byte) ([]byte, error) {
	var sealed envelope
	if err := xml.Unmarshal(body, &sealed); err != nil {
		return nil, err
	}
	if !same(signature(token, query.Get("timestamp"), query.Get("nonce"), sealed.Encrypt), query.Get("msg_signature")) {
		return nil, errBad
	}
	return decrypt(sealed.Encrypt)
}

// What is stored of a push. The platform's documents say what tells one from another.
func read(raw []byte) (event, error) {
	var push push
	if err := xml.Unmarshal(raw, &push); err != nil {
		return event{}, err
	}
	stored := event{openid: push.FromUserName, raw: string(raw), time: push.CreateTime}
	if push.MsgType != "event" {
		stored.key, stored.kind = push.MsgId, "message."+push.MsgType
		return stored, nil
	}
	stored.key = push.FromUserName + ":" + strconv.FormatInt(push.CreateTime, 10) + ":" + push.Event
	stored.kind = "event." + strings.ToLower(push.Event)
	if scene := strings.TrimPrefix(push.EventKey, "qrscene_"); scene != "" {
		stored.scene = &scene
	}
	return stored, nil
}

func main() {
	key, err := base64.StdEncoding.DecodeString(os.Getenv("RACE_AES_KEY") + "=")
	if err != nil {
		log.Fatal(err)
	}
	if block, err = aes.NewCipher(key); err != nil {
		log.Fatal(err)
	}
	iv = key[:aes.BlockSize]
	store, err := openStore()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /wechat/event", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if !signed(query) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		io.WriteString(w, query.Get("echostr"))
	})
	http.HandleFunc("POST /wechat/event", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
		if err != nil || !signed(query) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		raw, err := open(query, body)
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		stored, err := read(raw)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := store.store(r.Context(), stored); err != nil {
			log.Print(err)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("RACE_PORT"), nil))
}

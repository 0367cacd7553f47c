import cn.binarywang.wx.miniapp.api.impl.WxMaServiceImpl;
import cn.binarywang.wx.miniapp.config.impl.WxMaRedisBetterConfigImpl;
import me.chanjar.weixin.common.redis.JedisWxRedisOps;
import me.chanjar.weixin.cp.api.impl.WxCpServiceImpl;
import me.chanjar.weixin.cp.config.impl.WxCpJedisConfigImpl;
import me.chanjar.weixin.mp.api.impl.WxMpServiceImpl;
import me.chanjar.weixin.mp.config.impl.WxMpRedisConfigImpl;
import redis.clients.jedis.JedisPool;

/**
 * Asks the services of WxJava for an access_token over Jedis, with the prefixes of its starters. Whatever they call goes
 * to a proxy that is not there, so a token can only come from the copy.
 *
 * Arguments: HOST:PORT of the Redis, then for each service its kind (mp, cp, ma) and its id (of cp: CORPID/AGENTID).
 * Prints a line each.
 */
public class Copies {
    public static void main(String[] args) {
        String[] at = args[0].split(":");
        JedisPool pool = new JedisPool(at[0], Integer.parseInt(at[1]));
        for (int next = 1; next + 1 < args.length; next += 2) {
            try {
                System.out.println(ask(pool, args[next], args[next + 1]));
            } catch (Exception e) {
                System.out.println("error: " + e);
            }
        }
        pool.close();
    }

    static String ask(JedisPool pool, String kind, String id) throws Exception {
        if (kind.equals("mp")) {
            WxMpRedisConfigImpl config = new WxMpRedisConfigImpl(new JedisWxRedisOps(pool), "wx");
            config.setAppId(id);
            config.setSecret("none");
            config.setHttpProxyHost("127.0.0.1");
            config.setHttpProxyPort(1);
            WxMpServiceImpl service = new WxMpServiceImpl();
            service.setWxMpConfigStorage(config);
            return service.getAccessToken();
        }
        if (kind.equals("cp")) {
            String[] parts = id.split("/");
            WxCpJedisConfigImpl config = new WxCpJedisConfigImpl(pool, "wx:cp");
            config.setCorpId(parts[0]);
            config.setAgentId(Integer.parseInt(parts[1]));
            config.setCorpSecret("none");
            config.setHttpProxyHost("127.0.0.1");
            config.setHttpProxyPort(1);
            WxCpServiceImpl service = new WxCpServiceImpl();
            service.setWxCpConfigStorage(config);
            return service.getAccessToken();
        }
        WxMaRedisBetterConfigImpl config = new WxMaRedisBetterConfigImpl(new JedisWxRedisOps(pool), "wa");
        config.setAppid(id);
        config.setSecret("none");
        config.setHttpProxyHost("127.0.0.1");
        config.setHttpProxyPort(1);
        WxMaServiceImpl service = new WxMaServiceImpl();
        service.setWxMaConfig(config);
        return service.getAccessToken();
    }
}
